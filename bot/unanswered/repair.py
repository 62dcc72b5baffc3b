"""Asks questions again that were refused, and tells whoever asked the answer, in their thread, once.

Only documents are asked, as seen from where the asker is now. Refused again, a question stays open and nobody
hears of it. The answer is committed together with the question's end before it is told, as the answers of
turns are (bot/conversation/service.py), so a process may die at any point: the answer is there once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

from bot.conversation.from_documents import ask_documents, reply_from_documents
from bot.conversation.progress import SavedProgress
from bot.conversation.recollection import Recollection
from bot.conversation.records import load_reply
from bot.conversation.service import ChatSide
from bot.conversation.turn import read_answer_settings
from bot.conversation.turn_values import Turn, TurnServices
from bot.core import access
from bot.core.errors import AskError, Missing
from bot.core.ids import reply_id
from bot.core.values import Conversation, Incoming, Reply
from bot.guard.service import Ruling
from bot.guard.verdict import Verdict
from bot.jobs.inbox import Effect, Inbox, Job
from bot.knowledge.document_question import DocumentAnswer
from bot.provider.fair_share import in_background
from bot.unanswered import repair_records
from bot.unanswered.asking_again import AskedAgain, decode_asked_again
from storage.conversation import replies
from storage.conversation.replies import ReplyRow
from storage.engine import Engine
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion

log = logging.getLogger(__name__)

# member: of the channel · direct: it is their direct messages · outside: another company reads along · gone:
# they are not there any more
AskerState = Literal["member", "direct", "outside", "gone"]

NOW_ANSWERED = "<@{person}> You asked “{question}” and I had no answer. Now I have one:"
SHOWN = 200  # characters of a question


class RepairChat(ChatSide, Protocol):
    """Slack, as somebody is told there what they once asked for."""

    async def find_asker(self, channel: str, user: str) -> AskerState:
        """Whether whoever asked is still there, asked of Slack now. SlackUnavailable."""


class Repairs:
    """Has refused questions asked again. One per process."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        services: TurnServices,
        chat: RepairChat,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine, self._inbox = engine, inbox
        self._services, self._chat = services, chat
        self._clock = clock

    # What people want

    async def ask_again(self, at: Channel, topic: int, *, by: str) -> int:
        """Has the open questions of a topic asked again, now that there may be an answer; how many."""
        asked = await self._engine.write(repair_records.ask_again, at, topic, by=by, now=self._now())
        await self._inbox.look(True)
        return asked

    async def tell(self, at: Channel, question: int, answer: Reply, *, by: str) -> None:
        """Has whoever asked told an answer that does not come from documents. Missing: it is not open."""
        await self._engine.write(repair_records.tell, at, question, answer, by=by, now=self._now())
        await self._inbox.look(True)

    async def find(self, team: str, question: int) -> OpenQuestion:
        """A question that was refused, open or not. Missing."""
        found = await self._engine.read(questions.find, team, question)
        if found is None:
            raise Missing(f"no question {question}")
        return found

    async def want(self, team: str, question: int, *, by: str) -> bool:
        """Notes that somebody says a question should be answered here; False when that is known. Missing."""
        found = await self.find(team, question)
        return await self._engine.write(
            repair_records.want, Channel(team, found.channel), question, by=by, now=self._now()
        )

    # The job

    async def work(self, job: Job) -> list[Effect]:
        """Asks one question again and tells what comes of it; goes on where an earlier attempt was."""
        told, id = decode_asked_again(job), reply_id(job.key)
        question = await self._engine.read(questions.find, told.team, told.question)
        row = await self._engine.read(replies.find, id)
        if question is None:
            return await self._withdraw(job, row) if row else []
        if row is None:
            if question.closed_at is not None:
                return []
            return await self._begin(job, told, question)
        return await self._deliver(job, question, row) if row.payload else []

    async def _begin(self, job: Job, told: AskedAgain, question: OpenQuestion) -> list[Effect]:
        at = Channel(told.team, question.channel)  # it may go by another id since
        state = await self._chat.find_asker(at.channel, question.person)
        if state == "gone":
            return [partial(questions.close, at=at, ids=[question.id], outcome="no more", now=self._now())]
        place = await self._engine.read(repair_records.find_place, told.team, question)
        asked = self._make_incoming(job, place, question, state)
        with self._inbox.aside(job):  # of many questions none holds a place for what people ask now
            turn = await self._answer(asked, question, told)
        if turn is None:
            return []
        row = await self._engine.write(
            repair_records.commit, job, asked, question, turn=turn, now=self._now()
        )
        return await self._deliver(job, question, row) if row else []

    def _make_incoming(
        self, job: Job, place: Conversation, question: OpenQuestion, state: AskerState
    ) -> Incoming:
        return Incoming(
            key=job.key,
            conversation=place,
            user=question.person,
            message=question.message or place.thread,
            text=question.meant,
            sent_at=self._clock(),
            direct=state == "direct",
            mentioned=True,
            external=state == "outside",
        )

    async def _answer(self, asked: Incoming, question: OpenQuestion, told: AskedAgain) -> Turn | None:
        """What there is to tell; None for nothing."""
        settings = self._services.settings
        if access.why_closed(asked, settings) or not access.remembers(asked, settings):
            return None
        if told.answer:
            return _address(Turn(load_reply(told.answer)), question)
        try:
            with in_background():
                turn = await self._ask(asked, question, told.document)
        except AskError as exc:  # a budget is spent: it stays in the list
            log.warning("question %d is not asked again: %s", question.id, type(exc).__name__)
            return None
        return _address(turn, question) if turn else None

    async def _ask(self, asked: Incoming, question: OpenQuestion, added: str) -> Turn | None:
        how = await read_answer_settings(asked, self._services)
        at = Channel(asked.conversation.team, asked.conversation.channel)
        rules = await self._services.guard.read_policy(at)
        ruling = Ruling(rules, Verdict(True, "rule", "asked again", probability=1.0)) if rules else None
        guarded = ruling is not None or bool(question.searched)  # it says all itself, or must
        past = Recollection() if guarded else await self._engine.read(repair_records.recall_before, asked)
        found = await ask_documents(asked, past, ruling, how, self._services, mode="only")
        if found is None or found.refused or (added and not _quotes(found, added)):
            return None
        return reply_from_documents(found, past, None)

    async def _deliver(self, job: Job, question: OpenQuestion, row: ReplyRow) -> list[Effect]:
        """Makes the answer final in Slack, however often it takes."""
        assert row.payload is not None
        place = await self._engine.read(repair_records.find_place, row.team, question)
        asked = self._make_incoming(job, replace(place, thread=row.thread), question, "member")
        progress = SavedProgress(
            self._engine,
            row.id,
            row,
            sending=bool(row.sending),
            outside=partial(self._inbox.outside, job),
        )
        handle = self._chat.reply(asked, row.id, progress, resumed=bool(row.sending))
        try:
            delivered = await handle.deliver(load_reply(row.payload))
        finally:
            await handle.wait_idle()
        if delivered is None:  # the thread is gone
            return [partial(replies.mark_withdrawn, reply_id=row.id, now=self._now())]
        return [partial(replies.mark_sent, reply_id=row.id, messages=delivered, now=self._now())]

    async def _withdraw(self, job: Job, row: ReplyRow) -> list[Effect]:
        """The question was forgotten while its answer was on the way."""
        place = Conversation(row.team, row.channel, row.thread, whole=row.conversation.endswith(":"))
        asked = Incoming(job.key, place, row.asker, row.thread, "", self._clock())
        progress = SavedProgress(
            self._engine, row.id, row, sending=True, outside=partial(self._inbox.outside, job)
        )
        await self._chat.reply(asked, row.id, progress, resumed=True).withdraw()
        return [partial(replies.mark_withdrawn, reply_id=row.id, now=self._now())]

    def _now(self) -> float:
        return self._clock().timestamp()


def _quotes(found: DocumentAnswer, document: str) -> bool:
    """Whether a document is among those that an answer quotes, as far as that is known."""
    quoted = {one.document for one in found.search.passages if one.quoted}
    return not quoted or document in quoted


def _address(turn: Turn, question: OpenQuestion) -> Turn:
    """The answer, to whoever asked and about what: much may have been said in the thread since."""
    asked = " ".join(question.question.split())
    asked = asked if len(asked) <= SHOWN else f"{asked[: SHOWN - 2]} …"
    first = NOW_ANSWERED.format(person=question.person, question=asked)
    return replace(turn, reply=replace(turn.reply, text=f"{first}\n\n{turn.reply.text}"))
