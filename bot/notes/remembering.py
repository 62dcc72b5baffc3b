"""What somebody asked to have remembered becomes a note, and they are told: under which title, and what says
otherwise already.

Guests and people of another company have nothing remembered in a channel, as they add no documents to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core import access
from bot.core.errors import NotPermitted
from bot.core.settings import Settings
from bot.core.values import Incoming, Reply, Scope
from bot.documents.values import NOTE
from bot.knowledge.disagreements import list_opposed, split_statements, tell_otherwise
from bot.knowledge.index import Audience, DocumentIndex, Passage
from bot.notes.new_note import NewNote, make_title
from bot.notes.service import Notes

FOR_MEMBERS = "what a channel is answered from is for members of this workspace to decide"
KEPT = "I will remember this {where}: “{title}”. {undo}"
UNDO = "*Undo* forgets it again, and `/parley notes` shows everything I remember here."
HERE = {"channel": "for this channel", "person": "for you, here"}
WHICH = "{otherwise}. Which of them holds?"
_LOOKED_AT = 20  # passages among which something may say otherwise


@dataclass(frozen=True, slots=True)
class Opposed:
    """What says otherwise than a new note."""

    passage: Passage
    sentence: str

    @property
    def question(self) -> str:
        """What is asked of whoever said the new one."""
        return WHICH.format(otherwise=tell_otherwise(self.passage, self.sentence))


class Remembering:
    """Carries out wishes to remember. `is_outsider`: whether somebody is a guest or of another company, asked
    of Slack now."""

    def __init__(
        self,
        settings: Settings,
        notes: Notes,
        index: DocumentIndex,
        find_audience: Callable[[Incoming], Awaitable[Audience]],
        is_outsider: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._settings, self._notes, self._index = settings, notes, index
        self._find_audience, self._is_outsider = find_audience, is_outsider

    async def remember(self, asked: Incoming, words: str) -> Reply:
        """Keeps the words as a note of where they were said; what its author is told. NotPermitted,
        KeptInside, Incomplete."""
        access.admit_to_documents(asked, self._settings)
        if not asked.direct and await self._is_outsider(asked.user):
            raise NotPermitted(FOR_MEMBERS)
        where = asked.conversation
        new = NewNote(
            where.team,
            "person" if asked.direct else "channel",
            where.channel,
            asked.user,
            words,
            thread=where.thread,
            message=asked.message,
            said_at=asked.sent_at.timestamp(),
        )
        scope = Scope(where.team, where.channel, asked.user, where.key, "embedding")
        opposed = await self.find_opposed(await self._find_audience(asked), words, scope=scope)
        return _tell(new, await self._notes.add(new), opposed)

    async def find_opposed(
        self, audience: Audience, words: str, *, scope: Scope, but: str = ""
    ) -> Opposed | None:
        """What is known there and says otherwise, notes before documents, the newest first. `but`: the id of
        the note itself."""
        hits = await self._index.search(audience, [words], scope=scope, limit=_LOOKED_AT)
        passages = [hit.passage for hit in hits if hit.passage.document != but and hit.passage.text != words]
        found = [
            Opposed(passage, sentence)
            for passage in sorted(passages, key=lambda one: (one.kind != NOTE, -one.added_at))
            for statement in split_statements(words)
            for sentence in list_opposed(statement, passage, by_note=True)
        ]
        return found[0] if found else None


def _tell(new: NewNote, id: str, opposed: Opposed | None) -> Reply:
    said = KEPT.format(where=HERE[new.audience], title=make_title(new.text), undo=UNDO)
    if opposed is None:
        return Reply(said, note=id)
    return Reply(f"{said}\n\n{opposed.question}", note=id, against=opposed.passage.document)
