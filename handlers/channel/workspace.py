"""The window of a workspace's settings, for its admins: what holds in each channel that chose nothing itself.

It opens from the Home tab, where everybody is shown what holds.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from bot.app import Services
from bot.channel.options import PERSONA
from bot.channel.service import EVERYWHERE, PlaceSettings
from bot.core.errors import BotError, Conflict, NotPermitted, SetupError
from handlers.adapter import SlackChat
from handlers.channel import answer_fields
from handlers.channel.fields import read_answers
from handlers.channel.form import name_channel, sort_by_field
from handlers.slack import blocks, modals
from handlers.slack.blocks import Block
from handlers.slack.modals import View, plain_text
from handlers.slack.payloads import team_of
from storage.place import Channel

FORM = "workspace_settings"
OPEN = "open_workspace_settings"
NOT_YOURS = "what holds in the whole workspace is for its admins to decide"
SAVED = "Saved. From the next message on it holds wherever a channel chose nothing else."
FOR_EVERYBODY = "This holds in every channel and direct message that chose nothing else for itself."
CHANNELS_SHOWN = 10


class WorkspaceSettings:
    """Listeners for the settings of a workspace, and what Home shows of them."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def show_on_home(self, team: str, *, admin: bool, owned: Collection[str]) -> list[Block]:
        """What holds in the workspace, and what the channels that somebody looks after chose themselves."""
        preferences = self._services.preferences
        place = await preferences.read_place(Channel(team, EVERYWHERE))
        shown = [blocks.header("How Parley answers"), answer_fields.describe_place(place, preferences.checks)]
        if admin:
            shown.append(blocks.actions(blocks.button(OPEN, "Settings of the workspace")))
        theirs = [channel for channel in await preferences.list_choosing(team) if channel in owned]
        for channel in theirs[:CHANNELS_SHOWN]:
            place = await preferences.read_place(Channel(team, channel))
            chosen = [one for name, one in place.effective.items() if place.own[name]]
            lines = answer_fields.describe_settings(chosen, preferences.checks)
            shown.append(blocks.section("\n".join((f"*In {name_channel(channel)}*", *lines))))
        return shown

    async def open(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens what holds in the whole workspace, for its admins."""
        await ack()
        user, preferences = body["user"]["id"], self._services.preferences

        async def form() -> View:
            await self._require_admin(user)
            place = await preferences.read_place(Channel(team_of(body), EVERYWHERE))
            return self._build_form(place)

        await modals.open_window(self._chat.slack, body["trigger_id"], form)

    def _build_form(self, place: PlaceSettings) -> View:
        checks = self._services.preferences.checks
        return modals.window(
            "Workspace settings",
            [
                blocks.section(FOR_EVERYBODY),
                answer_fields.describe_place(place, checks),
                *answer_fields.build_fields(place, checks, unless=answer_fields.IN_WORKSPACE),
            ],
            submit=plain_text("Save"),
            callback_id=FORM,
            private_metadata=json.dumps({"was": place.fingerprint}),
        )

    async def save(self, ack: Any, body: dict[str, Any]) -> None:
        """Saves the form, or says at each field what is wrong with it."""
        try:
            await self._save(body)
        except SetupError as exc:
            await ack(response_action="errors", errors=sort_by_field(exc.problems))
        except BotError as exc:
            await ack(response_action="errors", errors={PERSONA: exc.notice})
        else:
            await ack(response_action="update", view=modals.message_window(SAVED))

    async def _save(self, body: dict[str, Any]) -> None:
        user, at = body["user"]["id"], Channel(team_of(body), EVERYWHERE)
        preferences, view = self._services.preferences, body["view"]
        place = await preferences.read_place(at)
        chosen = place.find_changes(answer_fields.read_fields(read_answers(view)))
        checked = preferences.checks.check(chosen)
        await self._require_admin(user)
        if place.fingerprint != json.loads(view["private_metadata"])["was"]:
            raise Conflict("settings")
        await preferences.save(at, checked, by=user)

    async def _require_admin(self, user: str) -> None:
        if not await self._chat.permissions.may_decide_everywhere(user):
            raise NotPermitted(NOT_YOURS)
