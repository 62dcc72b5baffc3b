"""Notes: added, listed, edited, dated and erased. A note is a document of one passage that says who said it.

Who may do what is asked of Slack before (handlers/notes/rights.py); that a note is wanted at all, by
bot/notes/wishes.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from bot.core.calendar import Calendar
from bot.core.errors import Incomplete, Missing, NotPermitted, TooManyWords
from bot.knowledge.adding import NewDocument
from bot.knowledge.ingestion import Documents
from bot.notes.new_note import TEXT_MOST, NewNote, make_id, make_title, write_said
from storage import audit
from storage.conversation import tombstones
from storage.engine import Engine, Tx
from storage.knowledge import notes as rows
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import name_note
from storage.knowledge.notes import Note

Names = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
FORGOTTEN = "whoever wrote this had it forgotten"
EMPTY = "A note needs some words."
TOO_LONG = f"A note has at most {TEXT_MOST:,} characters; add a longer text as a document."


class Notes:
    """What people asked to have remembered. One per process."""

    def __init__(self, engine: Engine, documents: Documents, names: Names, calendar: Calendar) -> None:
        self._engine, self._documents = engine, documents
        self._names, self._calendar = names, calendar

    async def add(self, new: NewNote) -> str:
        """On return it is on disk, and found a moment later; its id. Incomplete without words, or with too
        many. The same message and text again change nothing; another text of it takes the place of the first.
        """
        text = _require_words(new.text)
        if await self._engine.read(_was_forgotten, new):
            raise NotPermitted(FORGOTTEN)
        name = name_note(new.channel, new.thread, new.message or uuid.uuid4().hex)
        return await self._put(new, text, name, id=make_id(new.team, name, text))

    async def _put(self, new: NewNote, text: str, name: str, *, id: str = "") -> str:
        at = new.said_at or self._calendar.now()
        names = await self._names({new.person})
        document = NewDocument(
            new.team,
            new.audience,
            new.channel,
            new.person,
            name,
            "note",
            title=" ".join(new.title.split()) or make_title(text),
            link=new.link,
            text=text,
            said=write_said(names.get(new.person, ""), at, self._calendar.zone),
            said_at=at,
            look_again_at=new.look_again_at,
            repairs=new.repairs,
            authors=new.authors,
        )
        return await self._documents.add(document, id=id)

    async def list_at(self, audience: Audience) -> list[Note]:
        """Every note that may be found from there, newest first."""
        return await self._engine.read(rows.list_visible, audience)

    async def find(self, team: str, id: str) -> Note:
        """A note of a workspace. Missing."""
        found = await self._engine.read(rows.find, team, id)
        if found is None:
            raise Missing(f"no note {id}")
        return found

    async def edit(self, note: Note, *, title: str, text: str, by: str) -> str:
        """Whoever changes its words has said it from then on; the id of the new version. Incomplete."""
        words = _require_words(text)
        same = words == note.text
        new = NewNote(
            note.team,
            note.audience,
            note.channel,
            note.person if same else by,
            words,
            title,
            note.link,
            look_again_at=note.look_again_at,
            said_at=note.said_at if same else 0.0,
            authors=f"{note.authors} {note.person}".strip(),
        )
        return await self._put(new, words, note.name)

    async def set_date(self, note: Note, look_again_at: float | None, *, by: str) -> None:
        """When somebody is asked whether it is right still; None for never. Missing."""
        change = partial(rows.set_look_again, by=by, now=self._calendar.now())
        if not await self._engine.write(change, note, look_again_at):
            raise Missing(f"no note {note.id}")

    async def erase(self, note: Note, *, by: str) -> None:
        """From this moment on it is not found. Missing."""
        await self._documents.remove(await self._documents.find(note.team, note.id), by=by)


def _was_forgotten(tx: Tx, new: NewNote) -> bool:
    """Whether its author had the message forgotten, which Slack still shows: nobody else brings it back."""
    if not new.message:
        return False
    since = audit.find_last(tx, "forgot person", new.person, team=new.team)
    gone = tombstones.forgotten(tx, new.team, new.channel, new.message)
    return gone or (0 < new.said_at <= since)


def _require_words(text: str) -> str:
    """The text of a note. Incomplete without words, or with too many."""
    words = text.strip()
    if not words or len(words) > TEXT_MOST:
        raise TooManyWords(TOO_LONG) if words else Incomplete(EMPTY)
    return words
