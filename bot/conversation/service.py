"""Around a turn: taking posts in, working each once, stopping, editing, deleting, trying again.

`Turns.work` is what the inbox calls for each job. The order of commits makes a reply happen once: the
reply's row exists before the model is asked; the answer and what is remembered are committed together
before the reply is made final in Slack; the job is done only after that. Whatever is found half-way after a
crash goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.channel.options import ANSWERS
from bot.conversation import addressing
from bot.conversation.asking_apps import PAUSE, Weighed, weigh
from bot.conversation.memory import ThreadReader, recollection_from
from bot.conversation.questions import (
    MESSAGE,
    asks_for_answer,
    follows_directly,
    knows_post,
    read_question,
)
from bot.conversation.records import (
    add_to_post,
    begin_reply,
    change_waiting_edit,
    disclose,
    edit_message,
    erase_words,
    extend_remembered,
    forget_message,
    load_reply,
    remember_aside,
    remember_turn,
    says_the_same,
    withdraw_reply,
)
from bot.conversation.running import NoticedReply, Running
from bot.conversation.turn import CAME_TOO_LATE, Turn, TurnServices, run_turn
from bot.core.access import remembers, why_closed, without_later_actions
from bot.core.codec import decode, encode
from bot.core.errors import (
    BotError,
    Conflict,
    Missing,
    NotPermitted,
    ProviderError,
    TooOld,
    TriedAgain,
    Unavailable,
)
from bot.core.ids import follow_up_key, reply_id
from bot.core.values import FOLLOW_UPS, Conversation, Incoming, Message, Reply
from bot.jobs.inbox import Inbox, Job
from bot.ops.metrics import METRICS
from bot.provider.patience import Patience, be_patient
from bot.welcome.disclosures import read_sentence
from storage.conversation import messages as conversations
from storage.conversation import replies
from storage.engine import Engine, Tx
from storage.jobs import inbox as inbox_rows
from storage.jobs.inbox import Effect
from storage.place import Channel
from storage.voice import clips
from storage.welcome import disclosures

log = logging.getLogger(__name__)

STOP = "stop"  # the kind of job of a "stop" in words
AGAIN = ":again"  # ends the key of a question that is asked once more
# So long a question waits that is known to be unfinished: Slack's other event of the same post, or the quote
# of a message that it links to, comes a moment later.
UNFINISHED_S = 2.0
PATIENT_TRIES = 5  # some minutes; then the person is told that Slack or the database is away


class ReplyHandle(Protocol):
    """One reply on its way into Slack (handlers/reply/reply.py)."""

    @property
    def delivered(self) -> bool: ...
    def show_working(self) -> None: ...
    def show_transcribing(self, done_s: float, total_s: float) -> None: ...
    def show_waiting(self, waiting: bool) -> None: ...
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
        self,
        incoming: Incoming,
        reply_id: str,
        *,
        messages: list[str],
        resumed: bool,
        opened: Callable[[list[str]], None],
    ) -> ReplyHandle: ...

    async def tell(self, user: str, text: str) -> None: ...

    async def is_outsider(self, user: str) -> bool: ...


class Turns:
    """Every post that asks for an answer, from the moment it arrives until it has one."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        services: TurnServices,
        chat: ChatSide,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._services = services
        self._chat = chat
        self._clock = clock
        self._disclosure = read_sentence(services.settings)
        self._running: dict[str, Running] = {}  # by conversation
        self._stopped: set[str] = set()  # while what is left of an answer waited for its place in Slack
        self._notes: set[asyncio.Task[None]] = set()

    # Taking in

    async def take(self, incoming: Incoming, *, when: Callable[[Tx], bool] = lambda tx: True) -> None:
        """Stores a post that asks for an answer; returns when it is on disk."""
        place, changed = incoming.conversation, list[Incoming]()
        running = self._running.get(place.key) or self._find_begun(incoming)
        if running and addressing.read_wish(incoming.text) == "stop":
            running.end("stopped")
            await self._inbox.put(
                incoming.key, place.key, STOP, encode(incoming), team=place.team, person=incoming.user
            )
            return
        if running and running.posts[0].conversation.key != place.key:
            place = running.posts[0].conversation
            incoming = replace(incoming, conversation=place, beside=True)

        def wanted(tx: Tx) -> bool:  # its deletion may have overtaken it
            if not when(tx) or conversations.forgotten(tx, place.team, place.channel, incoming.message):
                return False
            if more := add_to_post(tx, incoming):
                changed.append(more)
            return True

        new = await self._inbox.put(
            incoming.key,
            place.key,
            MESSAGE,
            encode(incoming),
            team=place.team,
            person=incoming.user,
            when=wanted,
        )
        METRICS.count("parley_received_total", outcome="stored" if new else "known or not for us")
        self._pass_on(changed)
        running = self._running.get(place.key)
        if new and running and not running.list_about(incoming.key):
            posts = await self._engine.read(read_question, running.job, running.posts[0])
            if any(post.key == incoming.key for post in posts):
                running.add()

    def _find_begun(self, incoming: Incoming) -> Running | None:
        """The question in another thread of a direct conversation with which a post goes on."""
        for running in self._running.values():
            if not running.answering and follows_directly(running.posts[0], running.posts[-1], incoming):
                return running
        return None

    async def take_late_mention(self, edited: Incoming) -> None:
        """A post that mentions us since it was edited: a question, unless it is one already. Of that one the
        edit itself tells (`apply_edit`)."""
        await self.take(edited, when=lambda tx: not inbox_rows.list_keys(tx, edited.key))

    async def add(self, later: Incoming) -> None:
        """Adds what Slack added to a post by itself, where the post waits or is remembered."""
        if await self._engine.read(knows_post, later):
            changed = await self._engine.write(add_to_post, later)
            await self._engine.write(extend_remembered, later)
            self._pass_on([changed] if changed else [])

    def _pass_on(self, changed: list[Incoming]) -> None:
        """Has a turn that is at work on one of these posts know what it is now."""
        for post in changed:
            for running in self._about(post.key):
                running.change(post)

    async def take_unmentioned(self, incoming: Incoming) -> None:
        """A post that does not mention us: a question to us, or else words that a thread of ours remembers.

        Where nothing is answered, a mention is told so; what follows it is none of our business.
        """
        settings, asked = self._services.settings, list[bool]()
        if why_closed(incoming, settings):
            return

        def asks(tx: Tx) -> bool:
            at = Channel(incoming.conversation.team, incoming.conversation.channel)
            answers = self._services.preferences.read_choice(tx, at, ANSWERS)
            asked.append(asks_for_answer(tx, settings, incoming, answers))
            return asked[-1]

        await self.take(incoming, when=asks)
        if asked and not asked[-1]:
            await self.remember_aside(incoming)

    async def take_from_app(self, incoming: Incoming) -> None:
        """A post of an app that may ask, and mentions us: a question, as long as there are not too many."""
        limit, weighed = self._services.settings.asking_apps_limit, list[Weighed]()

        def is_to(wanted: Weighed, tx: Tx) -> bool:
            weighed.append(weigh(tx, incoming, limit=limit, now=self._now()))
            return weighed[-1] == wanted

        await self.take(incoming, when=partial(is_to, "ask"))
        if weighed[-1:] == ["pause"]:
            told = replace(incoming, key=incoming.key + PAUSE, too_many=True)
            await self.take(told, when=partial(is_to, "pause"))
            if weighed[-1] == "pause":
                where = incoming.conversation.channel
                log.warning("the app %s asked %d times within an hour in %s", incoming.user, limit, where)
        elif weighed[-1:] == ["ignore"]:
            await self.remember_aside(incoming)

    async def remember_aside(self, incoming: Incoming) -> None:
        """A post in a thread of ours that is said to somebody else, or by another app: remembered, not
        answered."""
        settings = self._services.settings
        if why_closed(incoming, settings) or not remembers(incoming, settings):
            return
        await self._engine.write(remember_aside, incoming, now=self._now())

    async def change_remembered(self, post: Incoming) -> None:
        """Another app changed what it posted: an alert is over."""
        if await self._engine.read(knows_post, post):
            await self._engine.write(edit_message, post, now=self._now())

    async def apply_edit(self, edited: Incoming) -> None:
        """What waits and what is remembered follow the edit; an answer that was given stays.

        A question that is being answered is asked anew as long as nothing of an answer is shown. Then the
        old words stay with their answer, and the new ones are the next question.
        """
        given = any(running.delivered for running in self._about(edited.key))
        if (
            self._begin_anew_with(edited)
            and await self._engine.write(edit_message, edited, given=given, now=self._now())
            and self._begin_anew_with(edited)  # it may have begun, or shown something, meanwhile
        ):
            return
        if edited.by_app:  # apps write by editing: each step of it would be a question
            return
        key = f"{edited.key}:{edited.sent_at.timestamp():.6f}"
        next_question = replace(edited, key=key, asked_anew=True, edited=True)
        await self.take(next_question, when=lambda tx: not change_waiting_edit(tx, edited))

    def _begin_anew_with(self, edited: Incoming) -> bool:
        """Has the turn that is at work on a post ask with its new words; False: an answer to the old ones is
        shown."""
        for running in self._about(edited.key):
            for post in running.list_about(edited.key):
                if running.answering and not (running.delivered or says_the_same(post, edited)):
                    return False
                running.change(replace(post, text=edited.text, quoted=edited.quoted))
        return True

    async def apply_deletion(self, key: str, team: str, channel: str, message: str) -> None:
        """The person took it back: no answer if there is none yet, and nothing is remembered of it."""
        there = await self._engine.write(forget_message, key, team, channel, message, now=self._now())
        for running in self._about(key):
            running.remove(key)
        if there:
            self._services.guard.reload_models()
            await self._engine.scrub()

    def end_team(self, team: str) -> None:
        """Nobody of a workspace can be answered any more: its turns end, and no word of them stays."""
        for running in self._running.values():
            if running.posts[0].conversation.team == team:
                running.end("deleted")

    async def stop(self, conversation: Conversation) -> None:
        """The person pressed stop: the model request ends at once, what was written stays."""
        if running := self._running.get(conversation.key):
            if running.posts[0].conversation.thread == conversation.thread:
                running.end("stopped")
        elif await self._engine.read(replies.waits_for_slack, conversation):
            self._stopped.add(conversation.key)

    async def turn_quiet(self, place: Conversation) -> bool:
        """Has mentions alone answered in a thread, or all of its posts again; whether it is quiet now."""
        quiet = not await self._engine.read(conversations.is_quiet, place.key)
        await self._engine.write(conversations.set_quiet, place, quiet, now=self._now())
        return quiet

    async def retry(self, reply_id: str, user: str) -> None:
        """The one retry of a failed answer, by the person who asked. NotPermitted, TriedAgain or Missing."""
        try:
            await self._ask_again(reply_id, user)
        except TriedAgain:
            raise
        except Conflict:  # edited at this very moment
            await self._ask_again(reply_id, user)

    async def follow_up(
        self, reply_id: str, what: str, place: Conversation, *, message: str, user: str, external: bool
    ) -> None:
        """What a button under an answer asks for, once each: the answer again, shorter, longer, or its rest.

        `message`: the one whose button was pressed; `external`: by somebody of another company. Missing
        without such an answer there, NotPermitted, TriedAgain.
        """
        row = await self._engine.read(replies.find, reply_id)
        if row is None or row.conversation != place.key or what not in FOLLOW_UPS:
            raise Missing(f"no reply {reply_id}")
        incoming = Incoming(
            key=follow_up_key(reply_id, what),
            conversation=place,
            user=user,
            message=message,
            text=FOLLOW_UPS[what],
            sent_at=self._clock(),
            direct=True,  # the channel was open to the question before
            mentioned=True,
            external=external,
            follow_up=what,
        )
        if not remembers(incoming, self._services.settings):
            raise NotPermitted("for other companies each question is answered by itself: please write it")
        if await self._engine.read(inbox_rows.list_keys, incoming.key):
            raise TriedAgain(f"reply {reply_id}: {what}")
        await self.take(incoming)

    async def _ask_again(self, reply_id: str, user: str) -> None:
        question = await self._engine.read(replies.retryable, reply_id, user)
        incoming = decode(question)
        again = replace(incoming, key=incoming.key + AGAIN, sent_at=self._clock())

        def used(tx: Tx) -> bool:  # together with what is asked again, or neither
            replies.use_retry(tx, reply_id, user, question, now=self._now())
            return True

        await self.take(again, when=used)

    # Working

    async def work(self, job: Job) -> list[Effect]:
        """One job, from claim to the reply being final; returns what is committed together with its end."""
        incoming = decode(job.payload)
        effects = await self._run(job, incoming)
        known = await self._engine.read(inbox_rows.read_payload, job.key)  # two events may tell of a post
        return [*effects, *self._erasures(job.key, decode(known) if known else incoming)]

    async def close_stop(self, job: Job) -> list[Effect]:
        """A "stop" that did its work when it came: its job has its next delivery known."""
        return []

    async def _run(self, job: Job, incoming: Incoming) -> list[Effect]:
        row, posts, gone = await self._engine.write(begin_reply, job, incoming, now=self._now())
        incoming = posts[0]
        place = incoming.conversation
        handle = self._chat.reply(
            incoming,
            row.id,
            messages=list(row.messages),
            resumed=job.attempts > 1 or self._is_old(incoming),
            opened=lambda messages: self._note_opened(row.id, messages),
        )
        running = self._running[place.key] = Running(job, posts, ended="deleted" if gone else "")
        try:
            if row.payload:
                recalled = await self._engine.read(conversations.recall, place.key)
                handle.vouch_for(recollection_from(recalled).messages)
                reply = load_reply(row.payload)
            elif not gone and self._is_old(incoming) and (messages := await handle.find_delivered()):
                # Answered in a life that our database, an old copy, does not know of.
                return [partial(replies.mark_sent, reply_id=row.id, messages=messages, now=self._now())]
            elif not gone:
                reply = await self._answer(job, row.id, handle, running)
            if running.ended == "deleted":
                return await self._take_back(handle, incoming, row.id)
            running.deliver(handle)
            if row.payload and place.key in self._stopped:
                running.end("stopped")
            self._stopped.discard(place.key)
            delivered = await handle.deliver(reply)
            if running.ended == "deleted" or delivered is None:
                return await self._take_back(handle, incoming, row.id)
        finally:
            del self._running[place.key]
            await handle.wait_idle()
        METRICS.count("parley_replies_total", outcome="whole" if reply.whole else "partial")
        sent = partial(
            replies.mark_sent,
            reply_id=row.id,
            messages=delivered,
            now=self._now(),
            retryable=reply.retryable or bool(reply.verdict),
        )
        return [sent]

    async def _take_back(self, handle: ReplyHandle, incoming: Incoming, reply_id: str) -> list[Effect]:
        """Its question was deleted: nothing of the answer stays to be seen."""
        await handle.withdraw()
        await self._forget_unshown_clips(incoming)
        return [partial(withdraw_reply, incoming=incoming, reply_id=reply_id, now=self._now())]

    async def report_failure(self, job: Job, error: BotError) -> None:
        """The last word on a job that was given up on; none where its question is gone."""
        incoming = decode(job.payload)
        where, id = incoming.conversation, reply_id(job.key)
        for erase in self._erasures(job.key, incoming):
            await self._engine.write(erase)
        handle = self._chat.reply(incoming, id, messages=[], resumed=True, opened=lambda messages: None)
        gone = await self._engine.read(conversations.forgotten, where.team, where.channel, incoming.message)
        if gone:
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
        return await self._engine.write(
            remember_turn,
            running.posts,
            reply_id,
            turn,
            disclosure=self._disclosure,
            kept=kept,
            now=self._now(),
        )

    async def _run_turn(self, handle: ReplyHandle, running: Running) -> Turn:
        """The turn, begun anew with what came before anything was shown."""
        if running.posts[0].unfinished:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(running.completed.wait(), UNFINISHED_S)
        reply = NoticedReply(handle, running)
        patience = Patience(
            self._services.settings.model_patience_s,
            show=reply.show_waiting,
            is_over=lambda: bool(running.ended) or self._inbox.stopping,
        )
        while True:
            try:
                with be_patient(patience):
                    turn = await run_turn(running.posts, reply, running, self._services)
            except BotError:
                if not running.begin_anew():
                    raise
            else:
                if not running.begin_anew():
                    break
            running.posts = await self._engine.read(read_question, running.job, running.posts[0])
        if running.missed:
            note = CAME_TOO_LATE.format(things=", ".join(running.missed))
            turn = replace(turn, reply=replace(turn.reply, notes=(*turn.reply.notes, note)))
        return turn

    def _erasures(self, key: str, incoming: Incoming) -> list[Effect]:
        """What is done at the end of a turn of which no word may stay."""
        if remembers(incoming, self._services.settings):
            return []
        return [partial(erase_words, incoming=incoming, key=key, reply_id=reply_id(key))]

    async def _forget_unshown_clips(self, incoming: Incoming) -> None:
        """Transcripts of a message that was deleted meanwhile."""
        if incoming.files:
            place = incoming.conversation
            await self._engine.write(clips.forget_unshown, place.team, place.key, incoming.user)
            await self._engine.scrub()

    def _refuse_old(self, incoming: Incoming) -> None:
        if self._is_old(incoming):
            raise TooOld(format_age(self._age_s(incoming)))

    def _is_old(self, incoming: Incoming) -> bool:
        return self._age_s(incoming) > self._services.settings.message_age_limit_s

    def _age_s(self, incoming: Incoming) -> float:
        return (self._clock() - incoming.sent_at).total_seconds()

    def _note_opened(self, reply_id: str, messages: list[str]) -> None:
        """Writes down which messages a stream occupies, without holding the stream up for it."""
        task = asyncio.create_task(self._engine.write(replies.mark_opened, reply_id, list(messages)))
        self._notes.add(task)
        task.add_done_callback(self._noted)

    def _noted(self, task: asyncio.Task[None]) -> None:
        """Where it failed, the thread is looked at instead."""
        self._notes.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), BotError):
            log.warning("not noted which messages a stream occupies: %s", type(error).__name__)

    def _about(self, key: str) -> list[Running]:
        """The turns at work on a post: its first answer, or one that was asked for again."""
        return [running for running in self._running.values() if running.list_about(key)]

    def _now(self) -> float:
        return self._clock().timestamp()


def format_age(seconds: float) -> str:
    """An age as a person says it."""
    for unit, size_s in (("days", 86_400), ("hours", 3_600)):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"
