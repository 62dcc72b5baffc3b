"""What people press and send about documents: the ⋮ shortcut, the buttons of cards, and the windows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from bot.app import Services
from bot.core.errors import BotError
from bot.knowledge.document_card import read_card_place
from handlers.adapter import SlackChat
from handlers.knowledge import windows
from handlers.knowledge.adding import Adding, AddingFrom, list_files
from handlers.knowledge.blocks import tell_removed
from handlers.knowledge.rights import DocumentRights, kind_at
from handlers.knowledge.windows import WindowPlace, load_place
from handlers.slack import modals
from handlers.slack.modals import View
from handlers.slack.payloads import in_thread, team_of
from storage.knowledge.audiences import AudienceKind

STARTED = "I am reading it: a card in the conversation shows how far I am."


class DocumentActions:
    """Listeners for documents."""

    def __init__(self, services: Services, chat: SlackChat, adding: Adding, rights: DocumentRights) -> None:
        self._services = services
        self._chat = chat
        self._adding = adding
        self._rights = rights

    # The ⋮ menu

    async def ask_parley(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens what can be done with a message."""
        await ack()
        message, channel = body["message"], body["channel"]["id"]
        root = message.get("thread_ts") or message["ts"]
        place = WindowPlace(channel, root, tuple(list_files(message)))
        names = [str(f.get("name") or "a file") for f in message.get("files") or () if f["id"] in place.files]

        async def found() -> View:
            user = body["user"]["id"]
            audience = await self._rights.find_audience(team_of(body), channel, user)
            known = await self._services.documents.list_at(audience)
            admin = await self._chat.permissions.may_decide_everywhere(user)
            return windows.ask_window(
                place, kind=kind_at(channel), names=names, admin=admin, known=len(known)
            )

        await modals.open_window(self._chat.slack, body["trigger_id"], found)

    async def add_files(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes in the files of the message."""
        await ack()
        place, at = self._read(body)
        await self._do(body, lambda: self._adding.add_files(at, place.files, thread=place.thread))

    async def keep_thread(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes in the thread."""
        await ack()
        place, at = self._read(body)
        await self._do(body, lambda: self._adding.keep_thread(at, place.thread))

    def _read(self, body: dict[str, Any]) -> tuple[WindowPlace, AddingFrom]:
        place = load_place(body["view"])
        audience = cast(AudienceKind, body["actions"][0]["value"])
        return place, AddingFrom(team_of(body), place.channel, body["user"]["id"], audience)

    async def _do(self, body: dict[str, Any], act: Callable[[], Awaitable[object]]) -> None:
        async def done() -> View:
            await act()
            return modals.message_window(STARTED)

        await modals.fill_window(self._chat.slack, body["view"]["id"], done)

    # Forms

    async def write(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the form for a text."""
        await ack()
        place = load_place(body["view"])

        async def form() -> View:
            return windows.text_form(place, kind=kind_at(place.channel))

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def upload(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the form for files."""
        await ack()
        place = load_place(body["view"])

        async def form() -> View:
            return windows.file_form(place, kind=kind_at(place.channel))

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def save_text(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes in what was typed."""
        given, _ = windows.read_form(body["view"])
        at, repairs = self._read_form(body, given), load_place(body["view"]).repairs
        title, text = given["title"].strip(), given["text"]
        await self._save(ack, windows.TITLE, lambda: self._adding.add_text(at, title, text, repairs=repairs))

    async def save_files(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes in what was uploaded, perhaps in the place of another document."""
        given, files = windows.read_form(body["view"])
        place, at = load_place(body["view"]), self._read_form(body, given)

        async def add() -> None:
            old = None
            if place.replaces:
                old = await self._services.documents.find(at.team, place.replaces)
                await self._rights.require_remove(old, at.user)
            where = AddingFrom(at.team, at.channel, at.user, old.audience) if old else at
            await self._adding.add_files(
                where, files, thread=place.thread, replaces=old, shared=False, repairs=place.repairs
            )

        await self._save(ack, windows.FILE, add)

    def _read_form(self, body: dict[str, Any], given: dict[str, str]) -> AddingFrom:
        place = load_place(body["view"])
        audience = cast(AudienceKind, given.get(windows.WHERE) or kind_at(place.channel))
        return AddingFrom(team_of(body), place.channel, body["user"]["id"], audience)

    async def _save(self, ack: Any, field: str, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except BotError as exc:
            await ack(response_action="errors", errors={field: exc.notice})
        else:
            await ack(response_action="update", view=modals.message_window(STARTED))

    # Lists and cards

    async def show_list(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the documents of the channel that a window, or its button, is about."""
        await ack()
        pressed = body["actions"][0].get("value")
        place = WindowPlace(pressed) if pressed else load_place(body["view"])

        async def found() -> View:
            return await self._list(place, team_of(body), body["user"]["id"])

        await modals.open_window(self._chat.slack, body["trigger_id"], found, on_top=True)

    async def _list(self, place: WindowPlace, team: str, user: str) -> View:
        await self._rights.require_see(place.channel, user)
        audience = await self._rights.find_audience(team, place.channel, user)
        documents = await self._services.documents.list_at(audience)
        self._services.access_log.note(team, user, "knowledge", f"documents of {place.channel}")
        may = [one.id for one in documents if await self._rights.may_remove(one, user)]
        return windows.list_window(place, documents, removable=may)

    async def remove(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Removes a document, for whoever added it and those who look after its channel."""
        await ack()
        team, user, documents = team_of(body), body["user"]["id"], self._services.documents
        document = await documents.find(team, body["actions"][0]["value"])
        await self._rights.require_remove(document, user)
        await documents.remove(document, by=user)
        if view := body.get("view"):

            async def left() -> View:
                return await self._list(load_place(view), team, user)

            await modals.fill_window(self._chat.slack, view["id"], left)
        else:
            await respond(**tell_removed(), replace_original=False, **in_thread(body))

    async def replace(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the form for a file in the place of a document."""
        await ack()
        team, user = team_of(body), body["user"]["id"]

        async def form() -> View:
            old = await self._services.documents.find(team, body["actions"][0]["value"])
            await self._rights.require_remove(old, user)
            card = read_card_place(old.card)
            channel = card.channel if card else old.channel
            thread = str(body.get("message", {}).get("thread_ts") or "")
            place = WindowPlace(channel, thread, replaces=old.id)
            return windows.file_form(place, kind=kind_at(channel), name=old.title)

        await modals.open_window(self._chat.slack, body["trigger_id"], form)
