"""On the day that was set for a note somebody is asked once whether it is right still: who said it, or who
looks after its channel where that person is not here any more.

That the day has come takes it off the note and puts a job, in one commit; the job asks in a direct message,
which is looked for before it is posted again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.core.errors import BotError, SlackRefused
from bot.jobs.inbox import Effect, Inbox, Job
from storage.engine import Engine, Tx
from storage.knowledge import notes as rows
from storage.knowledge.notes import Note
from storage.place import Channel

log = logging.getLogger(__name__)

LOOK_AGAIN = "note look again"  # the kind of job
AT_ONCE = 50  # notes that are asked about in one go


@dataclass(frozen=True, slots=True)
class NoteQuestion:
    """Whether a note is right still. `key`: the same for the same day of the same note; `since`: when the day
    came."""

    note: Note
    person: str  # who is asked
    key: str
    since: float


class AsksAboutNotes(Protocol):
    """Slack, as far as notes need it."""

    async def ask_about_note(self, question: NoteQuestion, *, resumed: bool) -> None:
        """Asks in a direct message. `resumed`: it may have been asked already. SlackRefused."""

    async def list_deciders(self, channel: str, *, named: Collection[str]) -> Sequence[str]:
        """Who can be asked to decide about a channel; `named`: whom an admin named for it."""


class LookingAgain:
    """Asks about notes whose day has come. `list_owners`: whom an admin named for a channel; `has_left`:
    whether somebody is not in the workspace any more."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        chat: AsksAboutNotes,
        list_owners: Callable[[Channel], Awaitable[Collection[str]]],
        has_left: Callable[[str], Awaitable[bool]],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._engine, self._inbox, self._chat = engine, inbox, chat
        self._list_owners, self._has_left, self._clock = list_owners, has_left, clock

    async def put_due(self) -> None:
        """Puts a job for each note whose day has come."""
        try:
            for note in await self._engine.read(rows.list_due, now=self._clock(), limit=AT_ONCE):
                key = f"{LOOK_AGAIN}:{note.id}:{note.look_again_at}"
                told = json.dumps({"team": note.team, "id": note.id, "since": self._clock()})
                when = partial(_take, note)
                await self._inbox.put(
                    key, f"{LOOK_AGAIN}:{note.team}", LOOK_AGAIN, told, team=note.team, when=when
                )
        except BotError as exc:
            log.error("notes are not looked at again now but in an hour: %s", exc)

    async def work(self, job: Job) -> Sequence[Effect]:
        """Asks about one note, whoever of those can be asked comes first; about none that is gone."""
        told = json.loads(job.payload)
        note = await self._engine.read(rows.find, told["team"], told["id"])
        if note is None:
            return []
        for person in await self._list_people(note):
            question = NoteQuestion(note, person, job.key, told["since"])
            try:
                await self._chat.ask_about_note(question, resumed=job.attempts > 1)
            except SlackRefused as exc:
                log.info("somebody cannot be asked about a note: %s", exc.code)
            else:
                break
        return []

    async def _list_people(self, note: Note) -> list[str]:
        """Who may be asked: its author while here, then those who look after its channel."""
        people = [] if await self._has_left(note.person) else [note.person]
        if note.audience != "channel":
            return people
        named = await self._list_owners(Channel(note.team, note.channel))
        return list(dict.fromkeys([*people, *await self._chat.list_deciders(note.channel, named=named)]))


def _take(note: Note, tx: Tx) -> bool:
    return rows.take_due(tx, note)
