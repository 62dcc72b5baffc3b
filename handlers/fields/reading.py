"""What people press for fields to be read: files of a message, offers, readings that go on or are stopped."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.fields.service import FieldExtraction
from bot.fields.values import FieldForm
from bot.fields.wanted import OWN, WantedOf
from handlers.adapter import SlackChat
from handlers.fields import windows
from handlers.fields.blocks import ACCEPTED, DECLINED
from handlers.fields.rights import FieldRights
from handlers.fields.windows import FieldsPlace
from handlers.knowledge import windows as document_windows
from handlers.knowledge.adding import Adding, AddingFrom
from handlers.knowledge.rights import kind_at
from handlers.slack import modals
from handlers.slack.blocks import section
from handlers.slack.modals import View
from handlers.slack.payloads import team_of
from storage.knowledge.documents import Document

STARTED = "I am reading them: a card in the conversation shows how far I am."


class FieldReadings:
    """Listeners for what is read by forms."""

    def __init__(self, services: Services, chat: SlackChat, adding: Adding, rights: FieldRights) -> None:
        self._services = services
        self._chat = chat
        self._adding = adding
        self._rights = rights

    @property
    def _fields(self) -> FieldExtraction:
        return self._services.fields

    async def open_extract(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the choice of the fields that are to be read from the files of a message."""
        await ack()
        about, team, user = document_windows.load_place(body["view"]), team_of(body), body["user"]["id"]
        place = FieldsPlace(about.channel, thread=about.thread, files=about.files)

        async def found() -> View:
            await self._rights.require_see(team, place.channel, user)
            owner = await self._rights.may_describe(team, place.channel, user)
            there = await self._fields.list_forms(team, place.channel)
            return windows.extract_window(place, there, owner=owner)

        await modals.open_window(self._chat.slack, body["trigger_id"], found, on_top=True)

    async def extract(self, ack: Any, body: dict[str, Any]) -> None:
        """Reads fields from the files of a message; what is no document yet is taken in first."""
        await ack()
        place, team, user = windows.load_place(body["view"]), team_of(body), body["user"]["id"]

        async def done() -> View:
            await self._rights.require_work(team, place.channel, user)
            form = await self._fields.find_form_in(team, place.channel, body["actions"][0]["value"])
            await self._extract(place, form, user, key=body["trigger_id"])
            return modals.message_window(STARTED)

        await modals.fill_window(self._chat.slack, body["view"]["id"], done)

    async def _extract(self, place: FieldsPlace, form: FieldForm, user: str, *, key: str) -> None:
        there = await self._list_documents(form, place, user)
        for document in there:
            wanted = WantedOf(document.id, form.id, user, place.channel, place.thread)
            await self._services.wanted_fields.want(document, wanted, key=key)
        known = {document.file for document in there}
        others = [file for file in place.files if file not in known]
        at = AddingFrom(form.team, place.channel, user, kind_at(place.channel))
        await self._adding.add_files(at, others, thread=place.thread, extract=form.id)

    async def _list_documents(self, form: FieldForm, place: FieldsPlace, user: str) -> list[Document]:
        """What was made already of the files, there."""
        audience = await self._rights.find_audience(form.team, place.channel, user)
        known = await self._services.documents.list_at(audience)
        belong = [one for one in known if one.channel == place.channel and one.audience in OWN]
        return [one for one in belong if one.file in place.files and one.state == "searchable"]

    async def take_offer(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Reads what was offered, at the price that was told."""
        await ack()
        form, document = await self._read_offer(body)
        message = body["message"]
        thread = message.get("thread_ts") or message["ts"]
        channel, user = body["channel"]["id"], body["user"]["id"]
        wanted = WantedOf(document.id, form.id, user, channel, thread, sure=True)
        await self._services.wanted_fields.want(document, wanted, key=message["ts"])
        await respond(text=ACCEPTED, blocks=[section(ACCEPTED)], replace_original=True)

    async def decline_offer(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Takes an offer back."""
        await ack()
        await self._read_offer(body)
        await respond(text=DECLINED, blocks=[section(DECLINED)], replace_original=True)

    async def _read_offer(self, body: dict[str, Any]) -> tuple[FieldForm, Document]:
        team, channel, user = team_of(body), body["channel"]["id"], body["user"]["id"]
        await self._rights.require_work(team, channel, user)
        form_id, _, document_id = body["actions"][0]["value"].partition(" ")
        form = await self._fields.find_form_in(team, channel, form_id)
        return form, await self._services.documents.find(team, document_id)

    async def stop(self, ack: Any, body: dict[str, Any]) -> None:
        """Stops reading; what was read stays."""
        await ack()
        run = await self._fields.find_run(body["actions"][0]["value"])
        form = await self._fields.find_form_in(team_of(body), body["channel"]["id"], run.form)
        await self._rights.require_work(form.team, form.channel, body["user"]["id"])
        await self._fields.stop(run.id)

    async def read_again(self, ack: Any, body: dict[str, Any]) -> None:
        """Goes on with what was stopped or given up on."""
        await ack()
        run, user = await self._fields.find_run(body["actions"][0]["value"]), body["user"]["id"]
        form = await self._fields.find_form_in(team_of(body), body["channel"]["id"], run.form)
        await self._rights.require_work(form.team, form.channel, user)
        document = await self._services.documents.find(form.team, run.document)
        await self._fields.start(document, form, by=user, thread=run.thread)
