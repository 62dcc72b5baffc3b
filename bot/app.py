"""The wiring: from Settings to the services that handlers call. It decides nothing itself."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.channel.models_in_use import Chosen, list_models, read_chosen
from bot.channel.operator_file import read_answer_options
from bot.channel.options import OptionChecks
from bot.channel.service import Preferences
from bot.conversation.feedback import Feedback
from bot.conversation.left_behind import LeftBehind, Sweepable
from bot.conversation.memory import Memory
from bot.conversation.overtaken import LaterPostsReader, Overtaken
from bot.conversation.posts import OVERTAKEN, STOP, Posts
from bot.conversation.questions import MESSAGE
from bot.conversation.running import RunningTurns
from bot.conversation.service import ChatSide, Turns
from bot.conversation.turn import TurnServices
from bot.core.addresses import PlainHttpRule
from bot.core.background import run_alongside
from bot.core.calendar import Calendar, utc_now, zone
from bot.core.errors import SetupError
from bot.core.model_tiers import model_for
from bot.core.settings import Settings
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.model_names import find_unpriced
from bot.costs.pricing import Prices, read_prices
from bot.guard.head import GuardHead
from bot.guard.judge_notices import JUDGE_UNABLE, JudgeNotices, JudgeNoticeWorker
from bot.guard.ladder import Ladder
from bot.guard.model_judge import ModelJudge
from bot.guard.policy import Policy, read_policies
from bot.guard.service import ChannelGuard
from bot.guard.training import TRAINING, TrainingPreparation
from bot.guard.tried_judge import TriedJudge
from bot.health import Health
from bot.housekeeping import tidy_hourly
from bot.jobs.deliveries import SignedDeliveries
from bot.jobs.inbox import Inbox
from bot.learning.trainer import Trainer
from bot.learning.training_jobs import TrainingJobs, TrainingWorker
from bot.ops.metrics import loop_lag
from bot.privacy import anonymise
from bot.privacy.access_log import AccessLog
from bot.privacy.forgetting import Forgetting
from bot.privacy.notices import find_endless
from bot.privacy.removal import erase_removed
from bot.privacy.retention import Retention
from bot.privacy.settings_log import note_changes
from bot.privacy.under_way import FORGET
from bot.provider.asking import read_askings
from bot.provider.catalogue import read_successors
from bot.provider.embeddings import embedder_for
from bot.provider.fair_share import Scheduler
from bot.provider.fallbacks import find_unpriced_fallbacks, read_fallbacks
from bot.provider.model_hosts import find_host_problems
from bot.provider.service import Provider
from bot.provider.transport import Transport
from bot.reports.service import CostReports, page_secret
from bot.retirement.service import Retirement
from bot.voice.local_files import FileTranscriber
from bot.voice.local_speech import speech_for
from bot.voice.message_clips import MessageClips
from bot.voice.recognition import Recognizer
from bot.voice.service import TAKEN_AWAY, UNASKED, CardView, Clips
from bot.welcome.disclosures import Disclosures
from bot.welcome.invitations import INVITATION, Invitations, NoteGiver
from storage.database import open_engine
from storage.engine import Engine

log = logging.getLogger(__name__)


class Chat(ChatSide, LaterPostsReader, NoteGiver, Sweepable, Protocol):
    """Slack, as all of the services see it (handlers/adapter.py)."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a handler may ask for."""

    settings: Settings
    engine: Engine
    calendar: Calendar
    provider: Provider
    posts: Posts
    turns: Turns
    clips: Clips
    transcriber: FileTranscriber
    inbox: Inbox
    deliveries: SignedDeliveries
    guard: ChannelGuard
    preferences: Preferences
    costs: CostReports
    access_log: AccessLog
    disclosures: Disclosures
    invitations: Invitations
    feedback: Feedback
    forgetting: Forgetting
    retention: Retention
    retirement: Retirement
    health: Health


@asynccontextmanager
async def open_services(settings: Settings, chat: Chat, cards: CardView) -> AsyncIterator[Services]:
    """Everything between the database and the sides that face people, running until the block ends."""
    async with (
        open_engine(settings.database) as engine,
        services_on(engine, Transport(settings), settings, chat=chat, cards=cards) as services,
    ):
        yield services


@asynccontextmanager
async def services_on(
    engine: Engine, transport: Transport, settings: Settings, *, chat: Chat, cards: CardView
) -> AsyncIterator[Services]:
    """The services on a database and a line to the model that are there already."""
    async with AsyncExitStack() as stack:
        await engine.write(note_changes, settings, now=time.time())
        await erase_removed(engine, settings, now=time.time())  # the rest of the start may fail for it
        for line in find_endless(settings):
            log.warning("%s", line)
        calendar = Calendar(zone(settings.time_zone))
        prices = read_prices(settings)
        ledger = Ledger(engine, prices, calendar)
        if unknown := await ledger.start():
            log.warning("%d model requests of an earlier process ended unseen and count as made", unknown)
        scheduler = Scheduler()
        provider = await stack.enter_async_context(
            Provider(settings, ledger, scheduler, engine, transport=transport)
        )

        inbox = Inbox(
            engine,
            parallel=settings.parallel_turns,
            max_attempts=settings.max_attempts,
            max_crashes=settings.max_crashes,
        )
        memory = Memory(engine, provider, settings, chat, utc_now)
        checks = OptionChecks(settings, prices, calendar.now)
        policies, given = read_operator_file(checks)
        preferences = Preferences(engine, checks, given, clock=calendar.now)
        models = list_models(settings, given, await engine.read(read_chosen))
        warn_unpriced(settings, prices, models)
        guard, ladder, trainer = guard_channels(
            settings, engine, inbox, provider, given=policies, is_outsider=chat.is_outsider
        )
        speech_model = speech_for(settings.speech_model, provider)
        recognizer = Recognizer(
            settings, engine, speech_model, provider.complete, prices=prices, calendar=calendar
        )
        message_clips = MessageClips(settings, engine, recognizer, cards)
        services = TurnServices(settings, provider, memory, chat, message_clips, guard, preferences)
        running = RunningTurns()
        posts = Posts(engine, inbox, services, running, clock=utc_now)
        turns = Turns(engine, inbox, services, chat, running, clock=utc_now)
        clips = Clips(
            settings, engine, inbox, message_clips, recognizer, cards, ask=posts.take, clock=utc_now
        )

        anonymiser = anonymise.Anonymiser(engine)
        inbox.register(STOP, turns.close_stop)
        inbox.register(MESSAGE, turns.work, gave_up=turns.report_failure)
        inbox.register(OVERTAKEN, Overtaken(engine, posts, chat, clock=utc_now).work)
        preparation = TrainingPreparation(
            engine,
            ladder,
            provider,
            model=model_for("examples", settings),
            tell=chat.tell,
            retry=posts.retry,
        )
        register_guard_jobs(inbox, trainer, preparation, JudgeNoticeWorker(engine, ladder, tell=chat.tell))
        inbox.register(UNASKED, clips.work)
        inbox.register(TAKEN_AWAY, clips.work)
        inbox.register(anonymise.ANONYMISE, anonymiser.work)
        access_log = AccessLog(engine)
        forgetting = Forgetting(settings, engine, inbox, turns, clips, guard, access_log, clock=calendar.now)
        inbox.register(FORGET, forgetting.work)
        budgets = Budgets(engine, calendar)
        invitations = Invitations(
            settings, engine, inbox, guard, preferences, budgets, chat, clock=calendar.now
        )
        inbox.register(INVITATION, invitations.work)

        retirement = Retirement(settings, engine, provider, calendar, given)
        await retirement.load()
        left_behind = LeftBehind(engine, chat, running)
        await left_behind.look()
        await stack.enter_async_context(inbox)
        await stack.enter_async_context(run_alongside(left_behind.sweep_hourly()))
        await stack.enter_async_context(loop_lag())
        await stack.enter_async_context(run_alongside(tidy_hourly(engine, settings)))
        await stack.enter_async_context(access_log.written_down())
        yield Services(
            settings=settings,
            engine=engine,
            calendar=calendar,
            provider=provider,
            posts=posts,
            turns=turns,
            clips=clips,
            transcriber=FileTranscriber(settings, engine, provider, prices=prices, calendar=calendar),
            inbox=inbox,
            deliveries=SignedDeliveries(engine, calendar.now),
            guard=guard,
            preferences=preferences,
            costs=CostReports(settings, engine, calendar, prices, budgets, page_secret(settings)),
            access_log=access_log,
            disclosures=Disclosures(settings, engine, clock=calendar.now),
            invitations=invitations,
            feedback=Feedback(engine, guard, clock=calendar.now),
            forgetting=forgetting,
            retention=Retention(settings, engine, clock=calendar.now),
            retirement=retirement,
            health=Health(engine, calendar, provider, inbox),
        )


def warn_unpriced(settings: Settings, prices: Prices, models: Sequence[Chosen]) -> None:
    """One line for each model in use that has no price, so that no budget counts it."""
    unpriced = find_unpriced([(one.where, one.model) for one in models], prices, at=utc_now())
    for line in unpriced + find_unpriced_fallbacks(settings, at=utc_now()):
        log.warning("%s", line)


def register_guard_jobs(
    inbox: Inbox, trainer: Trainer, preparation: TrainingPreparation, notices: JudgeNoticeWorker
) -> None:
    """Has the inbox train guards, and tell owners of a judge that is unable."""
    inbox.register(
        TRAINING,
        TrainingWorker(trainer, preparation.prepare).work,
        gave_up=preparation.report_failure,
    )
    inbox.register(JUDGE_UNABLE, notices.work)


def guard_channels(
    settings: Settings,
    engine: Engine,
    inbox: Inbox,
    provider: Provider,
    *,
    given: Mapping[str, Policy],
    is_outsider: Callable[[str], Awaitable[bool]],
) -> tuple[ChannelGuard, Ladder, Trainer]:
    """The guard, the ladder it judges by, and what trains the models on it."""
    embedder = embedder_for(settings.embeddings, provider, engine)
    judge = TriedJudge(ModelJudge(provider, model_for("verdict", settings)))
    ladder = Ladder(engine, judge=judge, embedder=embedder, given=given)
    trainer = Trainer(engine, GuardHead(ladder, embedder=embedder))
    jobs = TrainingJobs(engine, inbox, TRAINING)
    notices = JudgeNotices(inbox, judge)
    guard = ChannelGuard(engine, ladder, trainer, jobs, is_outsider=is_outsider, notices=notices)
    return guard, ladder, trainer


def find_problems(settings: Settings) -> list[str]:
    """What is wrong with the settings before anything is opened, all of it at once."""
    problems = list[str]()
    if not settings.openai_api_key and not settings.openai_base_url:
        problems.append("OPENAI_API_KEY is not set, nor OPENAI_BASE_URL for a model server that wants no key")
    with _collected(problems):
        problems += find_host_problems(settings)
    with _collected(problems):
        problems += PlainHttpRule.of(settings).find_problems("SLACK_API_URL", settings.slack_api_url)
    with _collected(problems):
        Calendar(zone(settings.time_zone))
    with _collected(problems):
        read_askings(settings)
    with _collected(problems):
        read_successors(settings.successors)
    with _collected(problems):
        read_fallbacks(settings)
    with _collected(problems):
        open_engine(settings.database)
    with _collected(problems):
        read_operator_file(OptionChecks(settings, read_prices(settings), time.time))
    return list(dict.fromkeys(problems))


def read_operator_file(checks: OptionChecks) -> tuple[dict[str, Policy], dict[str, dict[str, str]]]:
    """What the operator says channels are for, and how they are answered. SetupError has every problem."""
    path, problems = checks.settings.policies, list[str]()
    with _collected(problems):
        checks.read_operator()
    with _collected(problems):
        policies = read_policies(path)
    with _collected(problems):
        given = read_answer_options(path, checks.check)
    if problems:
        raise SetupError(list(dict.fromkeys(problems)))
    return policies, given


@contextmanager
def _collected(problems: list[str]) -> Iterator[None]:
    """Goes on after a SetupError, with its problems noted."""
    try:
        yield
    except SetupError as exc:
        problems += exc.problems
