"""App Home, the Messages tab, the stop button, removal of the app, and events without a listener.

What a newcomer reads in App Home is handlers/welcome/newcomer.py; what holds in the workspace and its
channels is handlers/channel/workspace.py.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice
from typing import Any

from bot.app import Services
from bot.core.errors import SlackError
from bot.costs.viewer import Viewer
from handlers.adapter import SlackChat
from handlers.channel.workspace import WorkspaceSettings
from handlers.commands import HELP
from handlers.costs import blocks as usage_blocks
from handlers.retirement import show_on_home
from handlers.slack import blocks
from handlers.slack.payloads import team_of
from handlers.slack.places import find_place
from handlers.welcome.newcomer import newcomer

log = logging.getLogger(__name__)

COMMANDS = 12  # that are listed in App Home
CHANNELS = 20  # that are named there, of those a person looks after
DIVIDER = {"type": "divider"}
NOT_NOW = "Slack does not tell me just now which budgets and channels are yours. Please look again later."

PROMPTS = (
    {"title": "What can you do?", "message": "What can you do?"},
    {"title": "Draft a message", "message": "Help me to draft a short message to my team about"},
    {"title": "Explain something", "message": "Explain in simple words:"},
)


class Home:
    """Listeners for the events of the app's own surfaces."""

    def __init__(self, services: Services, chat: SlackChat, workspace: WorkspaceSettings) -> None:
        self._services = services
        self._chat = chat
        self._workspace = workspace

    async def show(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """The Messages tab offers prompts to begin with; the Home tab says what Parley is, then what concerns
        this person, then the commands."""
        if event.get("tab") == "messages":
            await self._chat.slack.try_call(
                "assistant.threads.setSuggestedPrompts", channel_id=event["channel"], prompts=list(PROMPTS)
            )
            return
        services, user = self._services, event["user"]
        shown = [
            *newcomer(services.settings, services.disclosures.sentence, self._chat.slack.bot_user),
            DIVIDER,
            *await self._month(team_of(body), user),
            *await self._personal(team_of(body), user),
            blocks.actions(blocks.button(blocks.ASK_FORGET, "Forget everything of mine…")),
            DIVIDER,
            *_commands(),
        ]
        view = {"type": "home", "blocks": shown}
        await self._chat.slack.try_call("views.publish", user_id=user, view=view)

    async def _month(self, team: str, user: str) -> list[blocks.Block]:
        """What the person has used this month."""
        costs = self._services.costs
        used, month = await costs.this_month(team, person=user), costs.parse("").span.label
        if not used.requests:
            return [blocks.section(f"*Your month* ({month})\nYou have not asked me anything yet.")]
        return usage_blocks.month_usage("Your month", month, used)

    async def _personal(self, team: str, user: str) -> list[blocks.Block]:
        """What the person may see and decide. While Slack does not say who they are, that is said instead."""
        named = await self._services.costs.owned_by(team, user)
        try:
            viewer = await self._chat.directory.find_viewer(team, user, named=named)
            owned = sorted(filter(viewer.knows, viewer.owns))
            return [
                *await self._costs(team, viewer),
                *show_on_home(await self._services.retirement.find(), team, viewer),
                _channels(owned),
                *await self._workspace.show_on_home(team, admin=viewer.admin, owned=owned),
            ]
        except SlackError as exc:
            log.warning("budgets and channels are missing in App Home: %s", exc)
            return [blocks.context(NOT_NOW)]

    async def _costs(self, team: str, viewer: Viewer) -> list[blocks.Block]:
        """The budgets the person may see, the workspace's month for admins, and the way to the page."""
        costs, directory = self._services.costs, self._chat.directory
        standings = await costs.standings(team, viewer)
        names = await directory.find_names(one.budget.target for one in standings)
        shown = usage_blocks.standings(standings, names, "") if standings else []
        if viewer.admin:
            month = costs.parse("").span.label
            shown += usage_blocks.month_usage(
                "The workspace's month", month, await self._services.costs.this_month(team)
            )
            self._services.access_log.note(team, viewer.user, "home", "the workspace's month; every budget")
        return [*shown, *usage_blocks.gap(viewer.gap), *usage_blocks.open_page(costs.link(team, viewer.user))]

    async def stop(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Stops an answer, by Slack's own button: the model request ends at once, what was written stays."""
        at = (team_of(body), event["channel"], event["thread_ts"])
        await self._services.turns.stop(find_place(self._services.settings, *at))

    async def note_removal(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Notes that the app was removed or its tokens withdrawn: nothing can be posted any more."""
        self._chat.slack.mark_revoked(event["type"])
        log.error("slack says %s: the app has to be installed again", event["type"])
        if event["type"] == "app_uninstalled":
            await self._services.forgetting.leave_team(team_of(body))


async def ignore_event(event: dict[str, Any]) -> None:
    """Does nothing: what people have open and who else joins is not needed, but Slack wants it taken."""


async def acknowledge(ack: Any) -> None:
    """Acknowledges what has no listener, so that Slack never sees a failure."""
    await ack()


def _channels(owned: Sequence[str]) -> blocks.Block:
    """The channels somebody looks after, and the way to the settings of one."""
    mine = ", ".join(f"<#{channel}>" for channel in owned[:CHANNELS])
    more = f" and {len(owned) - CHANNELS} more" if len(owned) > CHANNELS else ""
    return blocks.choose_channel(mine + more)


def _commands() -> list[blocks.Block]:
    """The first commands of the list, and how to see the others."""
    more = [blocks.context("`/parley help` lists every command.")] if len(HELP) > COMMANDS else []
    return [blocks.header("Commands"), blocks.list_commands(dict(islice(HELP.items(), COMMANDS))), *more]
