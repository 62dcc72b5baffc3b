"""What people press and send about forms: described, changed and removed, and their rows looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.app import Services
from bot.core.errors import BotError
from bot.fields import forms
from bot.fields.service import FieldExtraction
from bot.fields.values import FieldForm
from handlers.adapter import SlackChat
from handlers.fields import windows
from handlers.fields.exports import ExportKind, send_rows
from handlers.fields.rights import FieldRights
from handlers.fields.windows import FieldsPlace
from handlers.slack import modals
from handlers.slack.modals import View
from handlers.slack.payloads import team_of

SENT = "The file is in your direct messages with me."
KEPT = "Saved. “Ask Parley to…” in the menu of a file's message reads these fields from it{every}."
EVERY = ", and every document of that kind that is added here is read by itself"


class FieldActions:
    """Listeners for forms of fields and their rows."""

    def __init__(self, services: Services, chat: SlackChat, rights: FieldRights) -> None:
        self._services = services
        self._chat = chat
        self._rights = rights

    @property
    def _fields(self) -> FieldExtraction:
        return self._services.fields

    # Forms

    async def open_forms(self, body: dict[str, Any]) -> None:
        """The forms of the channel in which the command was given."""
        place, team, user = FieldsPlace(body["channel_id"]), team_of(body), body["user_id"]

        async def found() -> View:
            return await self._list(place, team, user)

        await modals.open_window(self._chat.slack, body["trigger_id"], found)

    async def open_described(self, body: dict[str, Any], words: str) -> None:
        """What was described behind the command, as it is understood."""
        place, team, user = FieldsPlace(body["channel_id"]), team_of(body), body["user_id"]

        async def understood() -> View:
            await self._rights.require_describe(team, place.channel, user)
            return _show_understood(place, words, every=False)

        await modals.open_window(self._chat.slack, body["trigger_id"], understood)

    async def _list(self, place: FieldsPlace, team: str, user: str) -> View:
        await self._rights.require_see(team, place.channel, user)
        found = await self._fields.list_forms(team, place.channel)
        rows = {form.id: await self._fields.rows(form) for form in found}
        self._services.access_log.note(team, user, "fields", f"forms of {place.channel}")
        owner = await self._rights.may_describe(team, place.channel, user)
        return windows.forms_window(place, found, rows, owner=owner)

    async def describe(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the window in which fields are described."""
        await ack()
        place, team, user = windows.load_place(body["view"]), team_of(body), body["user"]["id"]

        async def form() -> View:
            await self._rights.require_describe(team, place.channel, user)
            return windows.describe_form(replace(place, form="", understood=""), None)

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def change(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the description of a form, to be changed."""
        await ack()
        place, team, user = windows.load_place(body["view"]), team_of(body), body["user"]["id"]

        async def form() -> View:
            await self._rights.require_describe(team, place.channel, user)
            standing = await self._fields.find_form_in(team, place.channel, body["actions"][0]["value"])
            there = replace(place, form=standing.id, understood="")
            return windows.describe_form(there, standing, words=windows.write_words(standing))

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def save(self, ack: Any, body: dict[str, Any]) -> None:
        """Shows how the words are understood; sent once more as they are, they are kept."""
        place, (words, every) = windows.load_place(body["view"]), windows.read_words(body["view"])
        team, user = team_of(body), body["user"]["id"]
        try:
            await self._rights.require_describe(team, place.channel, user)
            shown = _show_understood(place, words, every=every)
            if place.understood == windows.take_digest(words):
                await self._keep(place, replace(forms.parse(words), every=every), team, by=user)
                shown = modals.message_window(KEPT.format(every=EVERY if every else ""))
        except BotError as exc:
            await ack(response_action="errors", errors={windows.WORDS: exc.notice})
        else:
            await ack(response_action="update", view=shown)

    async def _keep(self, place: FieldsPlace, form: FieldForm, team: str, *, by: str) -> None:
        """One of its name is the same one, described anew."""
        there = await self._fields.list_forms(team, place.channel)
        same = [one.id for one in there if one.name.casefold() == form.name.casefold()]
        id = place.form or (same[0] if same else "")
        await self._fields.save_form(replace(form, id=id, team=team, channel=place.channel), by=by)

    async def remove(self, ack: Any, body: dict[str, Any]) -> None:
        """Removes a form with its rows."""
        await ack()
        place, team, user = windows.load_place(body["view"]), team_of(body), body["user"]["id"]

        async def left() -> View:
            await self._rights.require_describe(team, place.channel, user)
            form = await self._fields.find_form_in(team, place.channel, body["actions"][0]["value"])
            await self._fields.remove_form(form, by=user)
            return await self._list(place, team, user)

        await modals.fill_window(self._chat.slack, body["view"]["id"], left)

    # Rows

    async def open_rows(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the rows of a form: from the list of forms, or from a card."""
        await ack()
        view, id = body.get("view"), body["actions"][0]["value"]
        channel = windows.load_place(view).channel if view else body["channel"]["id"]
        team, user = team_of(body), body["user"]["id"]

        async def found() -> View:
            await self._rights.require_see(team, channel, user)
            form = await self._fields.find_form_in(team, channel, id)
            self._services.access_log.note(team, user, "fields", f"rows of {form.id} in {channel}")
            rows = await self._fields.rows(form)
            return windows.rows_window(FieldsPlace(channel, form.id), form, rows)

        await modals.open_window(self._chat.slack, body["trigger_id"], found, on_top=bool(view))

    async def export(self, ack: Any, body: dict[str, Any]) -> None:
        """Sends the rows as a file to whoever asks."""
        await ack()
        pressed, place = body["actions"][0], windows.load_place(body["view"])
        team, user = team_of(body), body["user"]["id"]

        async def sent() -> View:
            await self._rights.require_see(team, place.channel, user)
            form = await self._fields.find_form_in(team, place.channel, pressed["value"])
            kind: ExportKind = "csv" if pressed["action_id"] == windows.EXPORT_CSV else "jsonl"
            await send_rows(self._services, self._chat, form, user=user, kind=kind)
            return modals.message_window(SENT)

        await modals.fill_window(self._chat.slack, body["view"]["id"], sent)


def _show_understood(place: FieldsPlace, words: str, *, every: bool) -> View:
    """NotUnderstood."""
    form = replace(forms.parse(words), every=every)
    digest = windows.take_digest(words)
    return windows.describe_form(replace(place, understood=digest), form, words=words)
