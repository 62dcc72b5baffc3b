"""What people press and send about notes: the ⋮ shortcut, the list with its form, and the buttons under a
confirmation."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import tzinfo
from typing import Any

from bot.app import Services
from bot.core.errors import BotError, Incomplete, Missing, NotPermitted, NotUnderstood, TooManyWords
from bot.core.values import Scope
from bot.notes.new_note import TEXT_MOST, NewNote, make_title
from bot.text.marks import leave_out_quotes
from handlers.adapter import SlackChat
from handlers.knowledge.rights import DocumentRights, kind_at
from handlers.notes import window
from handlers.notes.rights import NoteRights
from handlers.notes.window import NotePlace
from handlers.slack import modals
from handlers.slack.blocks import BOTH_HOLD, NEW_HOLDS, OLD_HOLDS, UNDO_NOTE, ephemeral, section
from handlers.slack.contents import is_by_app, read_contents
from handlers.slack.modals import View
from handlers.slack.note_question import EDIT_NOTE, ERASE_NOTE, STILL_RIGHT
from handlers.slack.own_messages import read_message, remove_buttons
from handlers.slack.payloads import in_thread, team_of

SEARCH_S = 1.5
NOT_A_PERSON = "what an app says is not remembered, only what a person does"
NO_WORDS = "There are no words in this message."
TOO_LONG = f"A note has at most {TEXT_MOST:,} characters; keep this thread as a document instead."
REMEMBERED = "Remembered. `/parley notes` shows everything I remember here."
OVER = "That day is over already."
UNDONE = "Forgotten again."
ERASED = "Erased. Nothing is answered from it any more."
RIGHT_STILL = "Thank you. I will ask again in half a year; *Edit* sets another day."
NEW_HELD = "The new note holds. The older one is erased."
NEW_AND_DOCUMENT = (
    "I keep the new note. The other is a document, or a note of somebody else's, which you cannot erase: "
    "until it is changed, answers name both."
)
OLD_HELD = "What was known before holds. The new note is erased."
BOTH_HELD = "Both stay. Answers name both."


class NoteActions:
    """Listeners for notes."""

    def __init__(self, services: Services, chat: SlackChat, documents: DocumentRights) -> None:
        self._services, self._chat = services, chat
        self._documents = documents
        self._rights = NoteRights(services, chat)

    @property
    def _zone(self) -> tzinfo:
        return self._services.calendar.zone

    # Remember this

    async def remember_this(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the form for a message that is to be remembered, in its author's words."""
        await ack()

        async def form() -> View:
            channel, message = str(body["channel"]["id"]), body["message"]
            thread = str(message.get("thread_ts") or message["ts"])
            _, text = self._read_words(message)
            place = NotePlace(channel, thread=thread, message=str(message["ts"]), text=text)
            user = body["user"]["id"]
            await self._documents.require_add(kind_at(place.channel), place.channel, user)
            return window.note_form(place, title=make_title(place.text))

        await modals.open_window(self._chat.slack, body["trigger_id"], form)

    def _read_words(self, message: dict[str, Any]) -> tuple[str, str]:
        """Who wrote a message, and their own words in it. NotPermitted, Incomplete."""
        author = str(message.get("user") or "")
        if not author or is_by_app(message) or author == self._chat.slack.bot_user:
            raise NotPermitted(NOT_A_PERSON)
        text = leave_out_quotes(read_contents(message, bot=self._chat.slack.bot_user).text).strip()
        if not text or len(text) > TEXT_MOST:
            raise TooManyWords(TOO_LONG) if text else Incomplete(NO_WORDS)
        return author, text

    # The list

    async def open_list(self, body: dict[str, Any]) -> None:
        """What is remembered in the channel of a command."""
        place = NotePlace(body["channel_id"])

        async def found() -> View:
            return await self._list(place, team_of(body), body["user_id"])

        await modals.open_window(self._chat.slack, body["trigger_id"], found)

    async def _list(self, place: NotePlace, team: str, user: str) -> View:
        await self._documents.require_see(place.channel, user)
        audience = await self._documents.find_audience(team, place.channel, user)
        notes = await self._services.notes.list_at(audience)
        self._services.access_log.note(team, user, "notes", f"notes of {place.channel}")
        may = [note.id for note in notes[: window.LISTED] if await self._rights.may_change(note, user)]
        return window.list_window(NotePlace(place.channel), notes, self._zone, changeable=may)

    async def write(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens an empty form for a note."""
        await ack()
        place = window.load_place(body["view"])

        async def form() -> View:
            return window.note_form(place)

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def edit(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens a note in its form, to be changed."""
        await ack()
        team, user, id = team_of(body), body["user"]["id"], body["actions"][0]["value"]

        async def form() -> View:
            await self._rights.find_own(team, id, user)
            note = await self._services.notes.find(team, id)
            day = window.write_date(note.look_again_at, self._zone)
            place = NotePlace(note.channel, note.id)
            return window.note_form(place, title=note.title, text=note.text, day=day)

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top="view" in body)

    async def save(self, ack: Any, body: dict[str, Any]) -> None:
        """Keeps what the form says."""
        try:
            kept, words = await self._save(body)
        except BotError as exc:
            field = window.TITLE if window.load_place(body["view"]).message else window.TEXT
            field = window.DAY if isinstance(exc, NotUnderstood) else field
            await ack(response_action="errors", errors={field: exc.notice})
        else:
            await ack(response_action="update", view=await self._tell_kept(body, kept, words))

    async def _tell_kept(self, body: dict[str, Any], kept: str, words: str) -> View:
        """That a note is kept; where something else is known already, with what holds to be chosen. Slack
        waits three seconds for it."""
        place, team, user = window.load_place(body["view"]), team_of(body), body["user"]["id"]
        scope = Scope(team, place.channel, user, f"{team}:{place.channel}:", "embedding")
        opposed = None
        with contextlib.suppress(TimeoutError, BotError):  # it is kept, whatever else is known
            async with asyncio.timeout(SEARCH_S):
                audience = await self._documents.find_audience(team, place.channel, user)
                remembering = self._services.remembering
                opposed = await remembering.find_opposed(audience, words.strip(), scope=scope, but=kept)
        if opposed is None:
            return modals.message_window(REMEMBERED)
        return window.choice_window(place, REMEMBERED, opposed.question, (kept, opposed.passage.document))

    async def _save(self, body: dict[str, Any]) -> tuple[str, str]:
        """The note's id, and its words: of a message, as it stands there now, whatever a window says."""
        title, text, day = window.read_form(body["view"], self._zone)
        place, team, user = window.load_place(body["view"]), team_of(body), body["user"]["id"]
        if place.id:
            return await self._change(place.id, team, user, given=(title, text, day)), text
        await self._documents.require_see(place.channel, user)
        await self._documents.require_add(kind_at(place.channel), place.channel, user)
        self._require_to_come(day)
        author = user
        if place.message:
            slack = self._chat.slack
            message = await read_message(slack, place.channel, place.thread, place.message)
            if message is None:
                raise Missing("the message")
            author, text = self._read_words(message)
        link = await self._find_link(place) if place.message else ""
        new = NewNote(
            team,
            kind_at(place.channel),
            place.channel,
            author,
            text,
            title,
            link,
            look_again_at=day,
            thread=place.thread,
            message=place.message,
            said_at=float(place.message or 0),
        )
        return await self._services.notes.add(new), text

    async def _change(self, id: str, team: str, user: str, *, given: tuple[str, str, float | None]) -> str:
        title, text, day = given
        await self._rights.find_own(team, id, user)
        notes = self._services.notes
        note = await notes.find(team, id)
        if day != note.look_again_at:
            self._require_to_come(day)
            await notes.set_date(note, day, by=user)
        if (title, text) == (note.title, note.text):
            return id
        return await notes.edit(await notes.find(team, id), title=title, text=text, by=user)

    def _require_to_come(self, day: float | None) -> None:
        """NotUnderstood for a day that is over."""
        written, today = window.write_date(day, self._zone), self._services.calendar.now()
        if day and written < window.write_date(today, self._zone):
            raise NotUnderstood(written, OVER)

    async def _find_link(self, place: NotePlace) -> str:
        told = await self._chat.slack.get(
            "chat.getPermalink", channel=place.channel, message_ts=place.message
        )
        return str(told["permalink"])

    # Buttons

    async def erase(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Erases a note, from the list or from the question about it."""
        await ack()
        await self._erase(body, body["actions"][0]["value"])
        if view := body.get("view"):

            async def left() -> View:
                return await self._list(window.load_place(view), team_of(body), body["user"]["id"])

            await modals.fill_window(self._chat.slack, view["id"], left)
        else:
            await self._settle(body, respond, ERASED)

    async def undo(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Forgets again what was remembered just now."""
        await ack()
        await self._erase(body, body["actions"][0]["value"])
        await self._settle(body, respond, UNDONE)

    async def still_right(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Says that a note is right still; it is asked about again in half a year."""
        await ack()
        team, user, id = team_of(body), body["user"]["id"], body["actions"][0]["value"]
        await self._rights.find_own(team, id, user)
        note = await self._services.notes.find(team, id)
        again = window.half_a_year_from(self._services.calendar.now(), self._zone)
        await self._services.notes.set_date(note, again, by=user)
        await self._settle(body, respond, RIGHT_STILL)

    async def keep_new(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Keeps the new note, and erases the older one where this person may."""
        await ack()
        new, old = body["actions"][0]["value"].split()
        await self._rights.find_own(team_of(body), new, body["user"]["id"])
        try:
            await self._erase(body, old)
        except (NotPermitted, Missing):
            await self._settle(body, respond, NEW_AND_DOCUMENT)
        else:
            await self._settle(body, respond, NEW_HELD)

    async def keep_old(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Keeps what was known before, and erases the new note."""
        await ack()
        await self._erase(body, body["actions"][0]["value"].split()[0])
        await self._settle(body, respond, OLD_HELD)

    async def keep_both(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Keeps the new note and what was known before."""
        await ack()
        await self._rights.find_own(team_of(body), body["actions"][0]["value"].split()[0], body["user"]["id"])
        await self._settle(body, respond, BOTH_HELD)

    async def _erase(self, body: dict[str, Any], id: str) -> None:
        team, user = team_of(body), body["user"]["id"]
        await self._services.documents.remove(await self._rights.find_own(team, id, user), by=user)

    async def _settle(self, body: dict[str, Any], respond: Any, sentence: str) -> None:
        """Says what was done, and takes away the buttons that ask for it."""
        if view := body.get("view"):

            async def done() -> View:
                return modals.message_window(sentence)

            await modals.fill_window(self._chat.slack, view["id"], done)
            return
        shown = ephemeral(sentence, [section(sentence)])
        await respond(**shown, replace_original=False, **in_thread(body))
        message = body["message"]
        place = body["channel"]["id"], message.get("thread_ts") or message["ts"], message["ts"]
        pressed = UNDO_NOTE, NEW_HOLDS, OLD_HOLDS, BOTH_HOLD, STILL_RIGHT, EDIT_NOTE, ERASE_NOTE
        await remove_buttons(self._chat.slack, *place, *pressed)
