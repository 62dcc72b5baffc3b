"""The wiring: from Settings to the services that handlers call, and the small things each of them answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bot.conversation.memory import Memory
from bot.conversation.service import MESSAGE, ChatSide, Turns
from bot.conversation.turn import TurnServices
from bot.core.background import run_alongside
from bot.core.calendar import Calendar, zone
from bot.core.errors import BotError
from bot.core.settings import Settings
from bot.core.values import Conversation
from bot.costs import pricing
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.viewer import OPERATOR
from bot.guard.ladder import Ladder
from bot.guard.model_judge import ModelJudge
from bot.guard.policy import from_file
from bot.guard.service import ChannelGuard
from bot.guard.training import Trainer
from bot.guard.training_jobs import TRAINING, TrainingJobs
from bot.jobs.inbox import Inbox
from bot.ops.metrics import METRICS, loop_lag
from bot.privacy import anonymise, retention
from bot.privacy.access_log import AccessLog
from bot.privacy.settings_log import note_changes
from bot.provider.embeddings import embedder_for
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from bot.provider.transport import Transport
from bot.reports.service import CostReports, page_secret
from bot.reports.usage import UsageRow, total, usage
from bot.voice.local_files import FileTranscriber
from bot.voice.local_speech import speech_for
from bot.voice.message_clips import MessageClips, said
from bot.voice.recognition import Recognizer
from bot.voice.service import GONE, OVERHEARD, CardView, Clips
from storage.channel import preferences
from storage.conversation import messages, replies
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.jobs import inbox as jobs
from storage.place import Channel
from storage.privacy import export, forget
from storage.provider import vectors
from storage.voice import recordings

log = logging.getLogger(__name__)

HOUSEKEEPING_S = 3600.0


@dataclass(frozen=True, slots=True)
class Services:
    """What a handler may ask for."""

    settings: Settings
    engine: Engine
    calendar: Calendar
    provider: Provider
    turns: Turns
    clips: Clips
    transcriber: FileTranscriber
    inbox: Inbox
    subject: ChannelGuard
    costs: CostReports
    looks: AccessLog

    async def feedback(self, reply_id: str, team: str, user: str, *, good: bool) -> None:
        """One person's verdict on one reply; the last one counts."""
        await self.engine.write(
            replies.judge, reply_id, team, user, 1 if good else -1, now=self.calendar.now()
        )
        if good:
            await self.subject.liked(team, reply_id, by=user)

    async def overrule(self, team: str, verdict: int, on_topic: bool, *, by: str) -> bool:
        """What a verdict should have been: learned, and what was wrongly refused is answered now; whether."""
        judged = await self.subject.judged(team, verdict)
        new = await self.subject.overrule(team, verdict, on_topic, by=by)
        return new and on_topic and judged.verdict.stops and judged.label is None

    async def usage_of(self, team: str, *, channel: str = "", person: str = "") -> UsageRow:
        """This month's use of a channel, of a person, or of the whole workspace."""
        where = {name: value for name, value in (("channel", channel), ("person", person)) if value}
        month = self.costs.question("").span
        return total(await usage(self.engine, team, month, OPERATOR, by=(), where=where))

    async def forget_thread(self, conversation: Conversation, user: str) -> int | None:
        """Forgets a thread for somebody who takes part in it; how many messages, None for an outsider."""
        if not await self.engine.read(messages.speaks_in, conversation.key, user):
            return None
        await self.clips.forget_thread(conversation, by=user)
        now = self.calendar.now()
        return await self._forget(partial(forget.forget, place=conversation, by=user, now=now))

    async def forget_latest(self, team: str, channel: str, user: str) -> int | None:
        """Forgets the thread a person last spoke in within a channel; None when there is none."""
        thread = await self.engine.read(messages.latest_of, team, channel, user)
        return await self.forget_thread(Conversation(team, channel, thread), user) if thread else None

    async def forget_person(self, team: str, user: str, *, by: str = "") -> int:
        """Forgets everything a person said in a workspace; how many messages. `by` "": the operator."""
        await self.clips.forget_person(team, user, by=by)
        key, payload = anonymise.order(team, user)
        erased = 0

        def erase(tx: Tx) -> bool:
            nonlocal erased
            erased = forget.forget_user(tx, team, user, by=by, now=self.calendar.now())
            return True

        await self.inbox.put(key, key, anonymise.UNNAME, payload, team=team, when=erase)
        self.subject.forgotten()
        await self.engine.scrub()
        return erased

    async def left(self, team: str) -> None:
        """The app was removed from a workspace: what people said there goes, if the operator wants it so."""
        if self.settings.uninstalled == "erase":
            self.turns.leave(team)
            await self._forget(partial(forget.forget_team, team=team, now=self.calendar.now()))

    async def export_person(self, team: str, user: str) -> bytes:
        """Everything kept of a person, as JSON, for that person."""
        self.looks.note(team, user, "export", "their own words")
        return await self.engine.read(export.of_person, team, user)

    async def retain(self) -> dict[str, int]:
        """Erases what has outlived its use; how many rows of each kind."""
        return await retention.apply(self.engine, self.settings, now=self.calendar.now())

    async def keep(self, at: Channel, words: str, *, by: str) -> None:
        """For how many days a channel wants its words kept. NotUnderstood for more than everywhere."""
        days = retention.wish(self.settings, words)
        now, told = self.calendar.now(), f"{days} days" if days else "as everywhere"
        await self.engine.write(
            preferences.wish, at.team, at.channel, retention.KEEP, days, person=by, detail=told, now=now
        )

    async def kept_days(self, at: Channel) -> dict[str, float]:
        """For how many days each kind of word is kept in a channel; 0: for ever."""
        days = {kind.name: kind.days for kind in retention.kinds(self.settings)}
        wishes = await self.engine.read(preferences.wishes, at.team, at.channel)
        own = [preferences.Wish(at.team, at.channel, wishes.get(retention.KEEP, ""))]
        return days | {kind.name: kind.days for kind in retention.sooner(self.settings, own)}

    async def _forget(self, erase: partial[int]) -> int:
        erased = await self.engine.write(erase)
        self.subject.forgotten()
        await self.engine.scrub()
        return erased

    async def measure(self) -> None:
        """Brings the gauges up to date that are read from the database."""
        depth = await self.engine.read(jobs.depth)
        METRICS.set("parley_queue_depth", depth["waiting"])
        oldest_at = depth["oldest_at"]
        METRICS.set("parley_oldest_age_seconds", self.calendar.now() - oldest_at if oldest_at else 0.0)

    async def problems(self) -> list[str]:
        """Why this process should not be given work; empty when it should."""
        found = []
        if self.provider.unavailable:
            found.append("model: requests fail; the next is tried in a moment")
        if self.inbox.stopping:
            found.append("inbox: stopping")
        try:
            await self.engine.write(lambda tx: None)
        except BotError as exc:
            found.append(f"database: {type(exc).__name__}: {exc}")
        return found


@asynccontextmanager
async def open_services(settings: Settings, front: ChatSide, desk: CardView) -> AsyncIterator[Services]:
    """Everything between the database and the sides that face people, running until the block ends."""
    async with (
        open_engine(settings.database) as engine,
        services_on(engine, Transport(settings), settings, front=front, desk=desk) as services,
    ):
        yield services


@asynccontextmanager
async def services_on(
    engine: Engine, wire: Transport, settings: Settings, *, front: ChatSide, desk: CardView
) -> AsyncIterator[Services]:
    """The services on a database and a line to the model that are there already."""
    async with AsyncExitStack() as stack:
        await engine.write(note_changes, settings, now=time.time())
        calendar = Calendar(zone(settings.time_zone))
        prices = pricing.load(
            base_url=settings.openai_base_url,
            path=settings.prices,
            model=settings.model,
            base_model=settings.base_model,
        )
        ledger = Ledger(engine, prices, calendar)
        if unknown := await ledger.start():
            log.warning("%d model requests of an earlier process ended unseen and count as made", unknown)
        scheduler = Scheduler(tokens_per_minute=settings.tokens_per_minute)
        provider = await stack.enter_async_context(
            Provider(settings, ledger, scheduler, engine, transport=wire)
        )
        inbox = Inbox(
            engine,
            parallel=settings.parallel_turns,
            max_attempts=settings.max_attempts,
            max_crashes=settings.max_crashes,
        )
        memory = Memory(engine, provider, settings, now, said=said)
        subject, lessons = keep_to_subjects(settings, engine, inbox, provider, front)
        speech = speech_for(settings.speech_model, provider)
        voice = Recognizer(settings, engine, speech, provider.complete, prices=prices, calendar=calendar)
        hearing = MessageClips(settings, engine, voice, desk)
        services = TurnServices(settings, provider, memory, front, hearing, subject)
        turns = Turns(engine, inbox, services, front, now)
        clips = Clips(settings, engine, inbox, hearing, voice, desk, ask=turns.take, clock=now)
        unnamed = anonymise.Anonymiser(engine)
        inbox.register(MESSAGE, turns.work, gave_up=turns.tell)
        inbox.register(TRAINING, partial(lessons.work, retry=turns.retry))
        inbox.register(OVERHEARD, clips.work)
        inbox.register(GONE, clips.work)
        inbox.register(anonymise.UNNAME, unnamed.work)
        await stack.enter_async_context(inbox)
        await stack.enter_async_context(loop_lag())
        await stack.enter_async_context(run_alongside(housekeeping(engine, settings)))
        looks = AccessLog(engine)
        await stack.enter_async_context(looks.noting())
        costs = CostReports(
            settings, engine, calendar, prices, Budgets(engine, calendar), page_secret(settings)
        )
        transcriber = FileTranscriber(settings, engine, provider, prices=prices, calendar=calendar)
        yield Services(
            settings,
            engine,
            calendar,
            provider,
            turns,
            clips,
            transcriber,
            inbox,
            subject,
            costs,
            looks,
        )


def keep_to_subjects(
    settings: Settings, engine: Engine, inbox: Inbox, provider: Provider, front: ChatSide
) -> tuple[ChannelGuard, TrainingJobs]:
    """The guard with everything it needs."""
    model = settings.small_model or settings.model
    embedder = embedder_for(settings.embeddings, provider, engine)
    judge = ModelJudge(provider, model)
    keeper = Ladder(engine, judge=judge, embedder=embedder, given=from_file(settings.policies))
    school = Trainer(engine, keeper, embedder=embedder)
    lessons = TrainingJobs(engine, inbox, keeper, school, provider, model=model, tell=front.tell)
    return ChannelGuard(engine, keeper, school, lessons), lessons


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


async def housekeeping(engine: Engine, settings: Settings) -> None:
    """Erases what has outlived its use, once an hour."""

    async def tidy() -> None:
        for tidied in (jobs.tidy, replies.tidy, recordings.tidy, vectors.tidy):
            while await engine.write(tidied, now=time.time()):
                pass
        await retention.apply(engine, settings, now=time.time())
        await engine.scrub()  # what single turns erased is gone from the files as well

    while True:
        try:
            await tidy()
        except BotError as exc:
            log.error("housekeeping did not get through and is tried again in an hour: %s", exc)
        await asyncio.sleep(HOUSEKEEPING_S)
