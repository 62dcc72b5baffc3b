"""Around a turn: working each question once, and stopping it. Posts are taken in by posts.py.

`Turns.work` is what the inbox calls for each job. The order of commits makes a reply happen once: the
reply's row exists before the model is asked; the answer and what is remembered are committed together
before the reply is made final in Slack; the job is done only after that. Whatever is found half-way after a
crash goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.conversation.late_edits import ask_unheard
from bot.conversation.memory import ThreadReader
from bot.conversation.progress import SavedProgress
from bot.conversation.questions import list_deleted, read_question
from bot.conversation.recollection import recollection_from
from bot.conversation.records import (
    begin_reply,
    disclose,
    erase_words,
    load_reply,
    remember_turn,
    withdraw_reply,
)
from bot.conversation.running import NoticedReply, Running, RunningTurns
from bot.conversation.signals import TurnSignals
from bot.conversation.too_old import close_too_old
from bot.conversation.turn import CAME_TOO_LATE, run_turn
from bot.conversation.turn_values import Turn, TurnServices
from bot.core.access import remembers, without_later_actions
from bot.core.calendar import Calendar, zone
from bot.core.codec import decode
from bot.core.errors import (
    BotError,
    Missing,
    ProviderError,
    TooOld,
    Unavailable,
)
from bot.core.ids import reply_id
from bot.core.values import Conversation, Incoming, Message, Reply
from bot.core.waits import waiting_for
from bot.jobs.inbox import Inbox, Job
from bot.knowledge.quotes import REFUSAL
from bot.ops.metrics import METRICS
from bot.provider.patience import Patience, be_patient
from bot.text.ages import format_age
from bot.welcome.disclosures import read_sentence
from storage.conversation import messages as conversations
from storage.conversation import quiet_threads, replies, tombstones
from storage.conversation.replies import ReplyRow
from storage.engine import Engine, Tx
from storage.jobs import inbox as inbox_rows
from storage.jobs import queries
from storage.jobs.inbox import Effect
from storage.voice import clips
from storage.welcome import disclosures

log = logging.getLogger(__name__)

# So long a question waits that is known to be unfinished: Slack's other event of the same post, or the quote
# of a message that it links to, comes a moment later.
UNFINISHED_S = 2.0
PATIENT_TRIES = 5  # some minutes; then the person is told that Slack or the database is away


class ReplyHandle(Protocol):
    """One reply on its way into Slack (handlers/reply/reply.py)."""

    @property
    def delivered(self) -> bool: ...
    @property
    def session(self) -> bool: ...
    @property
    def untouched(self) -> bool: ...
    def show_working(self) -> None: ...
    def show_transcribing(self, done_s: float, total_s: float) -> None: ...
    def show_reading(self, done: int, of: int) -> None: ...
    def show_waiting(self, waiting: bool) -> None: ...
    def show_queue(self, place: int, wait_s: float) -> None: ...
    def append(self, text: str) -> None: ...
    def vouch_for(self, messages: Sequence[Message]) -> None: ...
    def take_back(self) -> None: ...
    async def deliver(self, reply: Reply) -> list[str] | None: ...
    async def aclose(self) -> None: ...
    async def find_delivered(self) -> list[str]: ...
    async def withdraw(self) -> None: ...
    async def wait_idle(self) -> None: ...


class ChatSide(ThreadReader, Protocol):
    """Where people read and write: replies, direct messages, and the thread around a message."""

    def reply(
        self, incoming: Incoming, reply_id: str, progress: SavedProgress, *, resumed: bool
    ) -> ReplyHandle: ...

    def streams_now(self, incoming: Incoming) -> bool: ...

    async def tell(self, user: str, text: str) -> None: ...

    async def is_outsider(self, user: str) -> bool: ...


class Turns:
    """Every question that was taken in, from the moment it is worked on until it has its answer."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        services: TurnServices,
        chat: ChatSide,
        running: RunningTurns,
        signals: TurnSignals,
        *,
        refused: Callable[[Incoming, str], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        """`refused`: called when Slack has a refusal, with its question and its id."""
        self._engine = engine
        self._inbox = inbox
        self._services = services
        self._chat = chat
        self._running = running
        self._signals = signals
        self._refused = refused
        self._clock = clock
        self._calendar = Calendar(zone(services.settings.time_zone))
        self._disclosure = read_sentence(services.settings)

    async def end_team(self, team: str) -> None:
        """Nobody of a workspace can be answered any more: its turns end, and no word of them stays."""
        self._running.end_team(team)
        await self._signals.tell_removed(team)

    async def stop(self, conversation: Conversation) -> None:
        """The person pressed stop: the model request ends at once, what was written stays."""
        if running := self._running.find(conversation):
            if running.posts[0].conversation.thread == conversation.thread:
                running.end("stopped")
        else:
            await self._engine.write(self._signals.stop, conversation)

    async def turn_quiet(self, place: Conversation) -> bool:
        """Has mentions alone answered in a thread, or all of its posts again; whether it is quiet now."""
        quiet = not await self._engine.read(quiet_threads.is_quiet, place.key)
        await self._engine.write(quiet_threads.set_quiet, place, quiet, now=self._now())
        return quiet

    async def work(self, job: Job) -> list[Effect]:
        """One job, from claim to the reply being final; returns what is committed together with its end."""
        incoming = decode(job.payload)
        with waiting_for(incoming.sent_at.timestamp(), partial(self._inbox.aside, job)):
            effects = await self._run(job, incoming)
        return [*effects, partial(self._erase_unkept, job.key, incoming)]

    async def close_stop(self, job: Job) -> list[Effect]:
        """A "stop" that did its work when it came: its job has its next delivery known."""
        return []

    async def _run(self, job: Job, incoming: Incoming) -> list[Effect]:
        with self._running.beginning(job.conversation):
            row, running, handle, reply = await self._begin(job, incoming)
        gone, incoming = running.ended == "deleted", running.posts[0]
        told_before = reply is not None
        place = incoming.conversation
        if row.stopped and not gone:
            running.end("stopped")
        async with self._attempt(place, handle, row):
            if reply is not None:
                recalled = await self._engine.read(conversations.recall, place.key)
                handle.vouch_for(recollection_from(recalled).messages)
            elif not gone and self._is_old(incoming) and (messages := await handle.find_delivered()):
                # Answered in a life that our database, an old copy, does not know of.
                return [partial(replies.mark_sent, reply_id=row.id, messages=messages, now=self._now())]
            elif not gone:
                reply = await self._answer(job, row.id, handle, running)
            if running.ended == "deleted":
                return await self._take_back(handle, incoming, row.id)
            running.deliver(handle)
            assert reply is not None
            delivered = await handle.deliver(reply)
            if running.ended == "deleted" or delivered is None:
                return await self._take_back(handle, incoming, row.id)
        METRICS.count("parley_replies_total", outcome="whole" if reply.whole else "partial")
        if reply.text == REFUSAL and not told_before:
            await self._refused(incoming, row.id)
        sent = partial(
            replies.mark_sent,
            reply_id=row.id,
            messages=delivered,
            now=self._now(),
            retryable=reply.retryable or bool(reply.verdict),
            session=handle.session,
        )
        unheard = partial(clips.forget_unshown, team=place.team, conversation=place.key, person=incoming.user)
        effects: list[Effect] = [sent, unheard] if running.taken_back else [sent]
        if self._engine.shared:
            effects.append(partial(ask_unheard, job=job, answered=running.posts[0], now=self._clock()))
        return effects

    async def _begin(
        self, job: Job, incoming: Incoming
    ) -> tuple[ReplyRow, Running, ReplyHandle, Reply | None]:
        """What is written down before a turn; how others see it; its reply in Slack, and what that says if it
        is
        known already."""
        sending = self._chat.streams_now(incoming)
        row, posts, gone = await self._engine.write(
            begin_reply, job, incoming, sending=sending, now=self._now()
        )
        incoming = posts[0]
        notice = None if row.payload or gone else await self._close_too_old(incoming, row.id)
        reply = load_reply(row.payload) if row.payload else notice
        progress = SavedProgress(
            self._engine,
            row.id,
            row,
            sending=sending or bool(row.sending),
            outside=partial(self._inbox.outside, job),
        )
        handle = self._chat.reply(
            _shown_at(incoming, reply),
            row.id,
            progress,
            resumed=bool(row.sending) or (self._is_old(incoming) and notice is None),
        )
        running = Running(job, posts, ended="deleted" if gone else "", stop_heard=bool(row.stopped))
        self._running.begin(incoming.conversation, running)
        return row, running, handle, reply

    @asynccontextmanager
    async def _attempt(self, place: Conversation, handle: ReplyHandle, row: ReplyRow) -> AsyncIterator[None]:
        """Around one attempt. The one after a failure need not look for what was never sent."""
        failed = True
        try:
            yield
            failed = False
        finally:
            self._running.finish(place)
            await handle.wait_idle()
            if failed and handle.untouched and not row.sending:
                with contextlib.suppress(BotError):
                    await self._engine.write(replies.mark_sending, row.id, sending=False)

    async def _take_back(self, handle: ReplyHandle, incoming: Incoming, reply_id: str) -> list[Effect]:
        """Its question was deleted: nothing of the answer stays to be seen."""
        await handle.withdraw()
        await self._forget_unshown_clips(incoming)
        return [partial(withdraw_reply, incoming=incoming, reply_id=reply_id, now=self._now())]

    async def report_failure(self, job: Job, error: BotError) -> None:
        """The last word on a job that was given up on; none where its question is gone."""
        incoming = decode(job.payload)
        where, id = incoming.conversation, reply_id(job.key)
        await self._engine.write(partial(self._erase_unkept, job.key, incoming))
        row = await self._engine.read(replies.find, id)
        sending = row is None or bool(row.sending)
        progress = SavedProgress(
            self._engine, id, row, sending=sending, outside=partial(self._inbox.outside, job)
        )
        handle = self._chat.reply(incoming, id, progress, resumed=sending)
        gone = await self._engine.read(tombstones.forgotten, where.team, where.channel, incoming.message)
        if gone:
            await self._engine.write(inbox_rows.blank_parked, job.key)
            await handle.withdraw()
        else:
            reply = await self._disclose(Reply(error.notice, whole=False), incoming, id)
            gone = await handle.deliver(reply) is None
        if gone:
            who = (where.team, incoming.user)
            await self._engine.write(disclosures.take_back, *who, source=id, now=self._now())

    async def _disclose(self, reply: Reply, incoming: Incoming, reply_id: str) -> Reply:
        """The reply as the person is to be given it, committed."""
        return await self._engine.write(
            disclose, reply, incoming, reply_id, disclosure=self._disclosure, now=self._now()
        )

    async def _answer(self, job: Job, reply_id: str, handle: ReplyHandle, running: Running) -> Reply:
        """Runs the turn and commits what came of it, answer and memory together.

        A model that fails is told at once. While Slack or the database is away (the thread or a file cannot
        be read), the inbox comes back to the job.
        """
        incoming = running.posts[0]
        try:
            self._refuse_old(incoming)
            handle.show_working()
            turn = await self._run_turn(handle, running)
        except BotError as exc:
            if exc.retry and not isinstance(exc, ProviderError) and job.tries < PATIENT_TRIES:
                raise
            if isinstance(exc, Unavailable) and exc.restarting and self._inbox.stopping:
                raise  # waited for by the next process
            log.warning("job %s: the turn ended in %s: %s", job.seq, type(exc).__name__, exc)
            turn = Turn(Reply(exc.notice, whole=False, retryable=exc.retry))
        kept = remembers(incoming, self._services.settings)
        if incoming.by_app:  # which cannot press the button
            turn = replace(turn, reply=replace(turn.reply, retryable=False))
        if not kept:
            turn = replace(turn, reply=without_later_actions(turn.reply))
        if running.ended == "deleted":
            return turn.reply
        reply = await self._engine.write(
            remember_turn,
            running.posts,
            reply_id,
            turn,
            disclosure=self._disclosure,
            kept=kept,
            day=self._calendar.day(self._now()).isoformat(),
            now=self._now(),
        )
        if reply is None:  # so another process heard
            running.end("deleted")
        return reply or turn.reply

    async def _run_turn(self, handle: ReplyHandle, running: Running) -> Turn:
        """The turn, begun anew with what came before anything was shown."""
        if running.posts[0].unfinished:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(UNFINISHED_S):
                    await running.completed.wait()
        reply = NoticedReply(handle, running)
        patience = Patience(
            self._services.settings.model_patience_s,
            show=reply.show_waiting,
            show_queue=reply.show_queue,
            is_over=lambda: bool(running.ended) or self._inbox.stopping,
        )
        while True:
            try:
                with be_patient(patience):
                    turn = await run_turn(running.posts, reply, running, self._services)
            except BotError as exc:
                if isinstance(exc, Missing):  # the message that was listened to, as another process may know
                    await self._remove_deleted(running)
                if not running.begin_anew():
                    raise
            else:
                if not running.begin_anew():
                    break
            if running.changes:
                await running.settled.wait()
            running.posts = await self._engine.read(read_question, running.job, running.posts[0])
        if running.missed:
            note = CAME_TOO_LATE.format(things=", ".join(running.missed))
            turn = replace(turn, reply=replace(turn.reply, notes=(*turn.reply.notes, note)))
        return turn

    async def _remove_deleted(self, running: Running) -> None:
        for key in await self._engine.read(list_deleted, running.posts):
            running.remove(key)

    def _erase_unkept(self, key: str, incoming: Incoming, tx: Tx) -> None:
        """At the end of a turn of which no word may stay, as all that is known of its post says by then."""
        payload = queries.read_payload(tx, key)
        asked = decode(payload) if payload else incoming
        if not remembers(asked, self._services.settings):
            erase_words(tx, asked, key=key, reply_id=reply_id(key))

    async def _forget_unshown_clips(self, incoming: Incoming) -> None:
        """Transcripts of a message that was deleted meanwhile."""
        if incoming.files:
            place = incoming.conversation
            await self._engine.write(clips.forget_unshown, place.team, place.key, incoming.user)
            await self._engine.scrub()

    async def _close_too_old(self, incoming: Incoming, reply_id: str) -> Reply | None:
        """The one notice for this and for others that are too old, where there are others."""
        if not self._is_old(incoming):
            return None
        limit_s = self._services.settings.message_age_limit_s
        return await self._engine.write(
            close_too_old, incoming, reply_id, limit_s=limit_s, disclosure=self._disclosure, now=self._now()
        )

    def _refuse_old(self, incoming: Incoming) -> None:
        if self._is_old(incoming):
            raise TooOld(format_age(self._age_s(incoming)))

    def _is_old(self, incoming: Incoming) -> bool:
        return self._age_s(incoming) > self._services.settings.message_age_limit_s

    def _age_s(self, incoming: Incoming) -> float:
        return (self._clock() - incoming.sent_at).total_seconds()

    def _now(self) -> float:
        return self._clock().timestamp()


def _shown_at(incoming: Incoming, reply: Reply | None) -> Incoming:
    """The question as its answer is placed: in its thread, or in the channel itself."""
    if reply is None or not reply.to_channel:
        return incoming
    return replace(incoming, conversation=replace(incoming.conversation, thread=""))
