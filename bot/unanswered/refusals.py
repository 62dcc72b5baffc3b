"""What comes nearest to a question that was refused, for the eyes of whoever asked it.

It is looked up where it is kept anyway, as the passages stand now: what was removed since is not shown.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from bot.conversation.account import AnswerRecord, find_record
from bot.core.errors import BotError
from bot.core.values import Incoming
from bot.knowledge.document_question import LookedAt
from storage.engine import Engine
from storage.knowledge.looked_at import ShownChunk
from storage.unanswered import questions
from storage.unanswered.asked_people import may_be_asked

log = logging.getLogger(__name__)

MOST = 3  # passages shown


@dataclass(frozen=True, slots=True)
class ShownRefusal:
    """A refused question by its number, and the passages that came nearest, the likeliest first. `typed`:
    what the channel's owner typed, where that came nearest; `wanted`: that it should be answered was said;
    `askable`: there are people who know, and they were not asked yet."""

    question: int
    passages: tuple[ShownChunk, ...] = ()
    typed: str = ""
    wanted: bool = False
    askable: bool = False


class RefusalView(Protocol):
    """Where whoever asked is shown something that nobody else sees (handlers/unanswered/refusal.py)."""

    async def show_refusal(self, asked: Incoming, refusal: ShownRefusal) -> None: ...


class Refusals:
    """Shows whoever was refused an answer what comes nearest. One per process."""

    def __init__(self, engine: Engine, view: RefusalView) -> None:
        self._engine, self._view = engine, view

    async def show(self, asked: Incoming, reply_id: str) -> None:
        """Once at most, and without it the refusal stands as well."""
        place = asked.conversation
        try:
            record = await find_record(self._engine, place, asked.message, key=asked.key)
            refusal = await self.find(place.team, reply_id, record)
            if refusal and not asked.by_app:
                await self._view.show_refusal(asked, refusal)
        except BotError as exc:
            log.warning("what comes nearest is not shown: %s", type(exc).__name__)

    async def find(self, team: str, reply_id: str, record: AnswerRecord | None) -> ShownRefusal | None:
        """What there is to show of a refusal; None where it is none, or nothing became of it but an
        answer."""
        question = await self._engine.read(questions.find_by_reply, team, reply_id)
        if question is None or question.closed_at is not None:
            return None
        typed = question.nearest if _is_typed(record) else ""
        askable = await self._engine.read(may_be_asked, team, question.id)
        return ShownRefusal(question.id, list_nearest(record), typed, question.wanted, askable)


def list_nearest(record: AnswerRecord | None) -> tuple[ShownChunk, ...]:
    """The passages that were likeliest to answer, of those that may still be shown."""
    if record is None:
        return ()
    chunks = record.chunks or {}
    shown = (chunks.get((one.document, one.chunk)) for one in _rank(record))
    return tuple(chunk for chunk in shown if chunk)[:MOST]


def _is_typed(record: AnswerRecord | None) -> bool:
    """Whether the likeliest passage is no document's."""
    return any(not one.document for one in _rank(record)[:1])


def _rank(record: AnswerRecord | None) -> list[LookedAt]:
    if record is None or record.account is None or record.account.documents is None:
        return []
    passages = record.account.documents.search.passages
    return sorted(passages, key=lambda one: -(one.probability or 0.0))
