"""App Home, the Messages tab, the stop button, removal of the app, and events without a listener."""

from __future__ import annotations

import logging
from typing import Any

from bot.app import Services
from bot.core.values import Conversation
from bot.costs.viewer import Viewer
from bot.reports.usage import UsageRow
from handlers.adapter import SlackChat
from handlers.channel.workspace import WorkspaceSettings
from handlers.commands import HELP
from handlers.costs import blocks as usage_blocks
from handlers.slack import blocks
from handlers.slack.payloads import team_of

log = logging.getLogger(__name__)

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
        """The Messages tab offers prompts to begin with; the Home tab shows the person's own month."""
        if event.get("tab") == "messages":
            await self._chat.slack.try_call(
                "assistant.threads.setSuggestedPrompts", channel_id=event["channel"], prompts=list(PROMPTS)
            )
            return
        team, user, costs = team_of(body), event["user"], self._services.costs
        used, month = await costs.this_month(team, person=user), costs.parse("").span.label
        viewer = await self._chat.directory.find_viewer(team, user, named=await costs.owned_by(team, user))
        shown = [
            *_introduction(month, used),
            *await self._costs(team, viewer),
            *await self._workspace.show_on_home(
                team, admin=viewer.admin, owned=filter(viewer.knows, viewer.owns)
            ),
        ]
        view = {"type": "home", "blocks": shown}
        await self._chat.slack.try_call("views.publish", user_id=event["user"], view=view)

    async def _costs(self, team: str, viewer: Viewer) -> list[blocks.Block]:
        """The workspace's month for admins, the budgets the person may see, and the way to the page."""
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
        await self._services.turns.stop(Conversation(team_of(body), event["channel"], event["thread_ts"]))

    async def note_removal(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Notes that the app was removed or its tokens withdrawn: nothing can be posted any more."""
        self._chat.slack.mark_revoked(event["type"])
        log.error("slack says %s: the app has to be installed again", event["type"])
        if event["type"] == "app_uninstalled":
            await self._services.forgetting.leave_team(team_of(body))


async def ignore_event(event: dict[str, Any]) -> None:
    """Does nothing: what a person has open is not needed, but Slack wants the event taken."""


async def acknowledge(ack: Any) -> None:
    """Acknowledges what has no listener, so that Slack never sees a failure."""
    await ack()


def _introduction(month: str, used: UsageRow) -> list[blocks.Block]:
    """What Parley does, where a channel's settings are, and the person's own month."""
    return [
        blocks.header("Parley"),
        *blocks.help(HELP),
        blocks.choose_channel(),
        blocks.actions(blocks.button(blocks.ASK_FORGET, "Forget everything of mine…")),
        {"type": "divider"},
        *usage_blocks.month_usage("Your month", month, used),
    ]
