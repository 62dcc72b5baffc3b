"""The review of doubtful values: opened from a card or a list, settled by a click or by what is typed."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import BotError, Missing
from bot.fields.service import FieldExtraction
from bot.fields.side import FieldCard
from bot.fields.values import FieldForm, FieldRow, FieldRun, RowFilter
from bot.knowledge.document_card import read_card_place
from handlers.adapter import SlackChat
from handlers.fields import review_windows, windows
from handlers.fields.cards import SlackFields
from handlers.fields.review_windows import Pressed
from handlers.fields.rights import FieldRights
from handlers.fields.windows import FieldsPlace
from handlers.slack import modals
from handlers.slack.modals import View
from handlers.slack.payloads import team_of


class FieldReviews:
    """Listeners for reviews."""

    def __init__(self, services: Services, chat: SlackChat, rights: FieldRights) -> None:
        self._services = services
        self._chat = chat
        self._rights = rights

    @property
    def _fields(self) -> FieldExtraction:
        return self._services.fields

    async def open_of_card(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the doubtful values of the document that a card is about."""
        await ack()
        team, user, channel = team_of(body), body["user"]["id"], body["channel"]["id"]

        async def found() -> View:
            run = await self._fields.find_run(body["actions"][0]["value"])
            return await self._show(FieldsPlace(channel, run.form, run.document), team, user)

        await modals.open_window(self._chat.slack, body["trigger_id"], found)

    async def open_of_form(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the doubtful values of all documents of a form."""
        await ack()
        channel, form = windows.load_place(body["view"]).channel, body["actions"][0]["value"]
        team, user = team_of(body), body["user"]["id"]

        async def found() -> View:
            return await self._show(FieldsPlace(channel, form), team, user)

        await modals.open_window(self._chat.slack, body["trigger_id"], found, on_top=True)

    async def _show(self, place: FieldsPlace, team: str, user: str) -> View:
        await self._rights.require_work(team, place.channel, user)
        form = await self._fields.find_form_in(team, place.channel, place.form)
        rows = await self._fields.rows(form, RowFilter(document=place.document))
        self._services.access_log.note(team, user, "fields", f"doubtful rows of {form.id} in {form.channel}")
        return review_windows.review_window(place, form, rows)

    # What somebody says of a value

    async def take(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes the candidate that was clicked, or that the value is missing; shows what is left."""
        await ack()
        place, pressed = _read(body)
        team, user = team_of(body), body["user"]["id"]

        async def left() -> View:
            await self._settle(place, pressed, team, user)
            return await self._show(place, team, user)

        await modals.fill_window(self._chat.slack, body["view"]["id"], left)

    async def type(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens a window in which a value is typed."""
        await ack()
        place, pressed = _read(body)

        async def form() -> View:
            return review_windows.typed_form(place, pressed)

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def save_typed(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes what was typed; the window below shows what is left."""
        place, pressed, typed = review_windows.read_typed(body["view"])
        team, user = team_of(body), body["user"]["id"]
        try:
            await self._settle(place, Pressed(pressed.row, pressed.field, typed), team, user)
        except BotError as exc:
            await ack(response_action="errors", errors={review_windows.TYPED: exc.notice})
            return
        await ack()

        async def left() -> View:
            return await self._show(place, team, user)

        await modals.fill_window(self._chat.slack, body["view"]["previous_view_id"], left)

    async def _settle(self, place: FieldsPlace, said: Pressed, team: str, user: str) -> None:
        """NotPermitted, NotUnderstood; Missing where the row is gone, or stands elsewhere."""
        await self._rights.require_work(team, place.channel, user)
        form = await self._fields.find_form_in(team, place.channel, place.form)
        row = await self._fields.find_row(team, said.row)
        if row.form != form.id:
            raise Missing(f"no row {said.row} of that form")
        await self._fields.review(row, said.field, said.value, by=user)
        await self._show_card(form, row)

    async def _show_card(self, form: FieldForm, row: FieldRow) -> None:
        """The card of the row's document, as it stands now."""
        runs = await self._fields.list_runs(form.team, form.channel)
        for run in runs:
            if run.form == form.id and run.document == row.document and (place := read_card_place(run.card)):
                await SlackFields(self._chat.slack).show_run(
                    await self._make_card(form, run), place, look=False
                )

    async def _make_card(self, form: FieldForm, run: FieldRun) -> FieldCard:
        document = await self._services.documents.find(form.team, run.document)
        rows = await self._fields.rows(form, RowFilter(document=document.id))
        cost = await self._fields.estimate([document], form)
        return FieldCard(run, form, document, cost, tuple(rows))


def _read(body: dict[str, Any]) -> tuple[FieldsPlace, Pressed]:
    pressed = review_windows.load_pressed(body["actions"][0]["value"])
    return windows.load_place(body["view"]), pressed
