"""The wiring: from Settings to the services that handlers call. It decides nothing itself."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.channel.models_in_use import Chosen, list_models, read_chosen
from bot.channel.options import OptionChecks
from bot.channel.service import Preferences
from bot.conversation.feedback import Feedback
from bot.conversation.follower import TurnFollower
from bot.conversation.left_behind import LeftBehind, Sweepable
from bot.conversation.memory import Memory
from bot.conversation.overtaken import LaterPostsReader, Overtaken
from bot.conversation.people_answers import OFFER
from bot.conversation.posts import OVERTAKEN, STOP, Posts
from bot.conversation.questions import MESSAGE
from bot.conversation.running import RunningTurns
from bot.conversation.service import Turns
from bot.conversation.shown_files import FileShower
from bot.conversation.signals import REMOVED, TURN, TurnSignals
from bot.conversation.turn_values import TurnServices
from bot.core.background import run_alongside
from bot.core.calendar import Calendar, utc_now, zone
from bot.core.model_tiers import model_for
from bot.core.settings import Settings
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.model_names import find_unpriced
from bot.costs.pricing import Prices, read_prices
from bot.fields.reading import FieldReader
from bot.fields.service import FIELDS, FieldExtraction
from bot.fields.wanted import WANTED, FieldsInChat, WantedFields
from bot.guard.head import GuardHead
from bot.guard.judge_notices import JUDGE_UNABLE, JudgeNotices, JudgeNoticeWorker
from bot.guard.ladder import Ladder
from bot.guard.model_judge import ModelJudge
from bot.guard.policy import Policy
from bot.guard.service import ChannelGuard
from bot.guard.training import TRAINING, TrainingPreparation
from bot.guard.tried_judge import TriedJudge
from bot.health import Health
from bot.housekeeping import tidy_if_possible
from bot.jobs.deliveries import SignedDeliveries
from bot.jobs.inbox import Inbox
from bot.jobs.watch import Watch
from bot.knowledge.answer_learning import ANSWER_TRAINING, AnswerLearning, AnswerTrainingPreparation
from bot.knowledge.attachments import Attachments
from bot.knowledge.audience import find_audience
from bot.knowledge.following import FOLLOW, DocumentFollower
from bot.knowledge.index import DocumentIndex
from bot.knowledge.ingestion import DOCUMENT, VECTORS, Documents
from bot.knowledge.own_head import AnswerHeadFitting, OwnHeads
from bot.knowledge.removal import REMOVAL
from bot.knowledge.service import Knowledge
from bot.knowledge.sources import DocumentSide
from bot.knowledge_page.service import KnowledgePage, PageSources
from bot.learning.trainer import Trainer
from bot.learning.training_jobs import TrainingJobs, TrainingWorker
from bot.limits.sharing import Limits, NoOthers
from bot.notes.looking_again import LOOK_AGAIN, AsksAboutNotes, LookingAgain
from bot.notes.remembering import Remembering
from bot.notes.service import Notes
from bot.ops.metrics import METRICS, loop_lag
from bot.privacy import anonymise
from bot.privacy.access_log import AccessLog
from bot.privacy.forgetting import Forgetting
from bot.privacy.notices import find_endless
from bot.privacy.removal import erase_removed
from bot.privacy.retention import Retention
from bot.privacy.settings_log import note_changes
from bot.privacy.under_way import FORGET
from bot.provider.embeddings import Embedder, embedder_for, find_embedder
from bot.provider.fair_share import Scheduler
from bot.provider.fallbacks import find_unpriced_fallbacks
from bot.provider.service import Provider
from bot.provider.transport import Transport
from bot.reports.service import CostReports, page_secret
from bot.retirement.service import Retirement
from bot.setup_problems import read_operator_file
from bot.unanswered.asking_again import AGAIN, ask_for_document
from bot.unanswered.people_who_know import ASK, CONFIRMED, PeopleChat, PeopleWhoKnow
from bot.unanswered.refusals import Refusals, RefusalView
from bot.unanswered.repair import RepairChat, Repairs
from bot.unanswered.service import UnansweredQuestions
from bot.voice.local_files import FileTranscriber
from bot.voice.local_speech import speech_for
from bot.voice.message_clips import MessageClips
from bot.voice.recognition import Recognizer
from bot.voice.service import RECOGNITION, TAKEN_AWAY, UNASKED, CardView, Clips
from bot.welcome.disclosures import Disclosures
from bot.welcome.invitations import INVITATION, Invitations, NoteGiver
from bot.workers.caches import Caches
from bot.workers.duties import Duties
from bot.workers.mailbox import Mailbox
from storage.engine import Engine
from storage.workers import changes

log = logging.getLogger(__name__)


class Chat(RepairChat, LaterPostsReader, NoteGiver, Sweepable, AsksAboutNotes, Protocol):
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
    documents: Documents
    fields: FieldExtraction
    wanted_fields: WantedFields
    notes: Notes
    repairs: Repairs
    refusals: Refusals
    remembering: Remembering
    looking_again: LookingAgain
    follower: DocumentFollower
    transcriber: FileTranscriber
    inbox: Inbox
    deliveries: SignedDeliveries
    guard: ChannelGuard
    preferences: Preferences
    costs: CostReports
    knowledge_page: KnowledgePage
    access_log: AccessLog
    disclosures: Disclosures
    invitations: Invitations
    feedback: Feedback
    answer_learning: AnswerLearning
    unanswered: UnansweredQuestions
    people: PeopleWhoKnow
    forgetting: Forgetting
    retention: Retention
    retirement: Retirement
    health: Health
    duties: Duties


@asynccontextmanager
async def open_services(
    engine: Engine,
    settings: Settings,
    chat: Chat,
    cards: CardView,
    limits: Limits,
    *,
    documents: DocumentSide,
    fields: FieldsInChat,
    refusals: RefusalView,
    people: PeopleChat,
) -> AsyncIterator[Services]:
    """Everything between the database and the sides that face people, running until the block ends."""
    async with services_on(
        engine,
        Transport(settings),
        settings,
        chat=chat,
        cards=cards,
        documents=documents,
        fields=fields,
        refusals=refusals,
        people=people,
        limits=limits,
    ) as services:
        yield services


@dataclass(frozen=True, slots=True)
class _Base:
    """What all services stand on."""

    settings: Settings
    engine: Engine
    calendar: Calendar
    prices: Prices
    provider: Provider
    inbox: Inbox
    watch: Watch
    mailbox: Mailbox
    caches: Caches
    embedder: Embedder | None
    index: DocumentIndex


@dataclass(frozen=True, slots=True)
class _Guarding:
    """The guard, the ladder it judges by, and what trains the models on it."""

    guard: ChannelGuard
    ladder: Ladder
    trainer: Trainer


@dataclass(frozen=True, slots=True)
class _AnswerHeads:
    """Heads of channels over answers: those in use, what is learned, and what does the trainings."""

    heads: OwnHeads
    learning: AnswerLearning
    worker: TrainingWorker


@dataclass(frozen=True, slots=True)
class _Answering:
    """What a turn calls, and what of it is called elsewhere, too."""

    services: TurnServices
    recognizer: Recognizer
    remembering: Remembering


@dataclass(frozen=True, slots=True)
class _Talking:
    """What takes posts and recordings in and answers them."""

    running: RunningTurns
    posts: Posts
    turns: Turns
    clips: Clips


@asynccontextmanager
async def services_on(
    engine: Engine,
    transport: Transport,
    settings: Settings,
    *,
    chat: Chat,
    cards: CardView,
    documents: DocumentSide,
    fields: FieldsInChat,
    refusals: RefusalView,
    people: PeopleChat,
    limits: Limits | None = None,
) -> AsyncIterator[Services]:
    """The services on a database and a line to the model that are there already. `limits`: what is shared
    with other processes on it."""
    async with _base_on(engine, transport, settings, limits or NoOthers()) as base, AsyncExitStack() as stack:
        now = base.calendar.now
        preferences, policies, given = await _read_channels(base)
        guarding = _guard_channels(base, chat, given=policies)
        guard = guarding.guard
        field_extraction, wanted_fields = _read_fields(base, fields)
        taken_in = Documents(
            settings,
            engine,
            base.inbox,
            base.index,
            documents,
            prices=base.prices,
            calendar=base.calendar,
            on_searchable=wanted_fields.note_searchable,
            published=ask_for_document,
        )
        unanswered = UnansweredQuestions(engine, base.embedder, clock=now)
        notes = Notes(engine, taken_in, chat.names, base.calendar)
        answer_heads = _learn_answers(base, chat)
        answering = _answer(base, chat, cards, guard, preferences, notes=notes, heads=answer_heads.heads)
        shown_refusals = Refusals(engine, refusals)
        talking = _talk(base, chat, cards, answering, shown_refusals)
        repairs = Repairs(engine, base.inbox, answering.services, chat, clock=utc_now)
        budgets, access_log = Budgets(engine, base.calendar), AccessLog(engine)
        retirement = Retirement(settings, engine, base.provider, base.calendar, given)
        services = Services(
            settings=settings,
            engine=engine,
            calendar=base.calendar,
            provider=base.provider,
            posts=talking.posts,
            turns=talking.turns,
            clips=talking.clips,
            documents=taken_in,
            fields=field_extraction,
            wanted_fields=wanted_fields,
            notes=notes,
            repairs=repairs,
            refusals=shown_refusals,
            remembering=answering.remembering,
            looking_again=LookingAgain(
                engine, base.inbox, chat, guard.list_owners, documents.has_left, clock=now
            ),
            follower=DocumentFollower(settings, engine, base.inbox, taken_in, documents),
            transcriber=FileTranscriber(
                settings, engine, base.provider, prices=base.prices, calendar=base.calendar
            ),
            inbox=base.inbox,
            deliveries=SignedDeliveries(engine, now),
            guard=guard,
            preferences=preferences,
            costs=CostReports(settings, engine, base.calendar, base.prices, budgets, page_secret(settings)),
            knowledge_page=KnowledgePage(
                settings,
                engine,
                base.calendar,
                page_secret(settings),
                PageSources(taken_in, unanswered, notes, field_extraction),
            ),
            access_log=access_log,
            disclosures=Disclosures(settings, engine, clock=now),
            invitations=Invitations(
                settings, engine, base.inbox, guard, preferences, budgets, chat, clock=now
            ),
            feedback=Feedback(engine, guard, clock=now),
            unanswered=unanswered,
            answer_learning=answer_heads.learning,
            people=PeopleWhoKnow(engine, base.inbox, people, notes, unanswered, repairs, clock=now),
            forgetting=Forgetting(
                settings,
                engine,
                base.inbox,
                talking.turns,
                talking.clips,
                guard,
                access_log,
                clock=now,
            ),
            retention=Retention(settings, engine, clock=now),
            retirement=retirement,
            health=Health(engine, base.calendar, base.provider, base.inbox),
            duties=Duties(engine),
        )
        _register_workers(services, chat, guarding, answer_heads)
        _hear_others(base, services, talking.running, answer_heads.heads)
        await retirement.load()
        await _start(services, chat, talking.running, stack)
        await stack.enter_async_context(base.watch.keeping())
        yield services


@asynccontextmanager
async def _base_on(
    engine: Engine, transport: Transport, settings: Settings, limits: Limits
) -> AsyncIterator[_Base]:
    """Ready to be built on: what an earlier process left open in the ledger is settled."""
    await engine.write(note_changes, settings, shared=engine.shared, now=time.time())
    await erase_removed(engine, settings, now=time.time())  # the rest of the start may fail for it
    for line in find_endless(settings):
        log.warning("%s", line)
    calendar = Calendar(zone(settings.time_zone))
    prices = read_prices(settings)
    ledger = Ledger(engine, prices, calendar)
    if unknown := await ledger.start():
        log.warning("%d model requests of an earlier process ended unseen and count as made", unknown)
    inbox = Inbox(
        engine,
        parallel=settings.parallel_turns,
        max_attempts=settings.max_attempts,
        max_crashes=settings.max_crashes,
    )
    engine.observe(partial(METRICS.observe, "parley_db_write_seconds"))
    watch = Watch(engine)
    mailbox = Mailbox(engine)
    caches = Caches(mailbox)
    for look in (mailbox.look, inbox.look, ledger.look, caches.look):
        watch.add(look)
    scheduler = Scheduler(limits=limits)
    async with Provider(settings, ledger, scheduler, engine, transport=transport) as provider:
        embedder = embedder_for(settings.embeddings, provider, engine)
        earlier = partial(find_embedder, provider=provider, engine=engine)
        index = DocumentIndex(engine, embedder, earlier=earlier)
        yield _Base(
            settings, engine, calendar, prices, provider, inbox, watch, mailbox, caches, embedder, index
        )


async def _read_channels(base: _Base) -> tuple[Preferences, dict[str, Policy], dict[str, dict[str, str]]]:
    """How channels are answered, what the operator says they are for, and what else of theirs is given."""
    checks = OptionChecks(base.settings, base.prices, base.calendar.now)
    policies, given = read_operator_file(checks)
    models = list_models(base.settings, given, await base.engine.read(read_chosen))
    warn_unpriced(base.settings, base.prices, models)
    return Preferences(base.engine, checks, given, clock=base.calendar.now), policies, given


def _guard_channels(base: _Base, chat: Chat, *, given: Mapping[str, Policy]) -> _Guarding:
    settings, engine = base.settings, base.engine
    embedder = base.embedder
    judge = TriedJudge(ModelJudge(base.provider, model_for("verdict", settings)))
    ladder = Ladder(engine, judge=judge, embedder=embedder, given=given)
    trainer = Trainer(engine, GuardHead(ladder, embedder=embedder))
    jobs = TrainingJobs(engine, base.inbox, TRAINING)
    notices = JudgeNotices(base.inbox, judge)
    guard = ChannelGuard(engine, ladder, trainer, jobs, is_outsider=chat.is_outsider, notices=notices)
    return _Guarding(guard, ladder, trainer)


def _learn_answers(base: _Base, chat: Chat) -> _AnswerHeads:
    engine, heads = base.engine, OwnHeads(base.engine)
    trainer = Trainer(engine, AnswerHeadFitting(base.index, heads, chat.is_outsider))
    jobs = TrainingJobs(engine, base.inbox, ANSWER_TRAINING)
    model, clock = model_for("examples", base.settings), base.calendar.now
    preparation = AnswerTrainingPreparation(engine, base.provider, model=model, clock=clock)
    learning = AnswerLearning(engine, trainer, jobs, heads, clock=clock)
    return _AnswerHeads(heads, learning, TrainingWorker(trainer, preparation.prepare))


def _answer(
    base: _Base,
    chat: Chat,
    cards: CardView,
    guard: ChannelGuard,
    preferences: Preferences,
    *,
    notes: Notes,
    heads: OwnHeads,
) -> _Answering:
    settings, engine, provider = base.settings, base.engine, base.provider
    speech_model = speech_for(settings.speech_model, provider)
    recognizer = Recognizer(
        settings, engine, speech_model, provider.complete, prices=base.prices, calendar=base.calendar
    )
    message_clips = MessageClips(settings, engine, recognizer, cards)
    memory = Memory(engine, provider, settings, chat, utc_now)
    audience_of = partial(find_audience, settings=settings, is_outsider=chat.is_outsider)
    knowledge = Knowledge(
        base.index,
        provider,
        audience_of,
        small_model=model_for("rewriting", settings),
        price=lambda model, used: base.prices.cost(model or settings.model, used, at=utc_now()),
        heads=heads,
    )
    attachments = Attachments(settings, engine, base.index, cards, clock=base.calendar.now)
    files = FileShower(settings, attachments, provider, memory)
    remembering = Remembering(settings, notes, base.index, audience_of, chat.is_outsider)
    services = TurnServices(
        settings, provider, memory, chat, message_clips, guard, preferences, knowledge, files, remembering
    )
    return _Answering(services, recognizer, remembering)


def _talk(base: _Base, chat: Chat, cards: CardView, answering: _Answering, refusals: Refusals) -> _Talking:
    settings, engine, inbox, services = base.settings, base.engine, base.inbox, answering.services
    running, signals = RunningTurns(), TurnSignals(engine)
    posts = Posts(engine, inbox, services, running, signals, clock=utc_now)
    turns = Turns(engine, inbox, services, chat, running, signals, refused=refusals.show, clock=utc_now)
    clips = Clips(
        settings,
        engine,
        inbox,
        services.clips,
        answering.recognizer,
        cards,
        ask=posts.take,
        clock=utc_now,
    )
    return _Talking(running, posts, turns, clips)


def _read_fields(base: _Base, side: FieldsInChat) -> tuple[FieldExtraction, WantedFields]:
    now, model = base.calendar.now, model_for("fields", base.settings)
    reader = FieldReader(base.engine, base.provider, side, model=model, prices=base.prices, clock=now)
    extraction = FieldExtraction(base.engine, base.inbox, reader, clock=now)
    return extraction, WantedFields(base.engine, base.inbox, extraction, side)


def _register_workers(
    services: Services, chat: Chat, guarding: _Guarding, answer_heads: _AnswerHeads
) -> None:
    """Has the inbox do each kind of job."""
    settings, engine, inbox, turns = services.settings, services.engine, services.inbox, services.turns
    overtaken = Overtaken(engine, services.posts, chat, clock=utc_now)
    preparation = TrainingPreparation(
        engine,
        guarding.ladder,
        services.provider,
        model=model_for("examples", settings),
        tell=chat.tell,
        retry=services.posts.retry,
    )
    training = TrainingWorker(guarding.trainer, preparation.prepare)
    notices = JudgeNoticeWorker(engine, guarding.ladder, tell=chat.tell)
    inbox.register(STOP, turns.close_stop)
    inbox.register(MESSAGE, turns.work, gave_up=turns.report_failure)
    inbox.register(OVERTAKEN, overtaken.work)
    inbox.register(TRAINING, training.work, gave_up=preparation.report_failure)
    inbox.register(JUDGE_UNABLE, notices.work)
    inbox.register(ANSWER_TRAINING, answer_heads.worker.work)
    inbox.register(FOLLOW, services.follower.work)
    for kind in (DOCUMENT, VECTORS, REMOVAL):
        inbox.register(kind, services.documents.work, gave_up=services.documents.report_failure)
    inbox.register(FIELDS, services.fields.work, gave_up=services.fields.report_failure)
    inbox.register(AGAIN, services.repairs.work)
    inbox.register(WANTED, services.wanted_fields.work)
    inbox.register(ASK, services.people.work_ask)
    inbox.register(OFFER, services.people.work_offer)
    inbox.register(CONFIRMED, services.people.work_confirmed)
    inbox.register(UNASKED, services.clips.work)
    inbox.register(TAKEN_AWAY, services.clips.work)
    inbox.register(anonymise.ANONYMISE, anonymise.Anonymiser(engine).work)
    inbox.register(FORGET, services.forgetting.work)
    inbox.register(LOOK_AGAIN, services.looking_again.work)
    inbox.register(INVITATION, services.invitations.work)


def _hear_others(base: _Base, services: Services, running: RunningTurns, heads: OwnHeads) -> None:
    """Has what other processes on the database did known here."""
    mailbox, caches, guard = base.mailbox, base.caches, services.guard
    follower = TurnFollower(base.engine, running, services.posts)
    mailbox.register(TURN, follower.hear)
    mailbox.register(REMOVED, follower.end_team)
    mailbox.register(RECOGNITION, services.clips.hear_deleted)
    caches.register(changes.POLICIES, guard.reread_policies)
    caches.register(changes.MODELS, guard.reread_models)
    caches.register(changes.ANSWER_MODELS, heads.reread)
    caches.register(changes.TRAITS, base.provider.reread_traits)
    caches.register(changes.ENDINGS, services.retirement.reread)


async def _start(services: Services, chat: Chat, running: RunningTurns, stack: AsyncExitStack) -> None:
    """Takes up what an earlier process left, and begins what is done by the hour."""
    left_behind = LeftBehind(services.engine, chat, running, services.duties)
    await left_behind.look()
    await stack.enter_async_context(services.inbox)
    await services.documents.catch_up()
    await stack.enter_async_context(run_alongside(left_behind.sweep_hourly()))
    await stack.enter_async_context(loop_lag())
    tidy = partial(tidy_if_possible, services.engine, services.settings)
    hourly: dict[str, Callable[[], Awaitable[None]]] = {
        "housekeeping": tidy,
        "notes": services.looking_again.put_due,
        "answer learning": services.answer_learning.look,
    }
    await stack.enter_async_context(services.engine.hourly(hourly))
    await stack.enter_async_context(services.access_log.written_down())


def warn_unpriced(settings: Settings, prices: Prices, models: Sequence[Chosen]) -> None:
    """One line for each model in use that has no price, so that no budget counts it."""
    unpriced = find_unpriced([(one.where, one.model) for one in models], prices, at=utc_now())
    for line in unpriced + find_unpriced_fallbacks(settings, at=utc_now()):
        log.warning("%s", line)
