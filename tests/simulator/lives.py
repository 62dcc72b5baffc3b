"""The bot in a story, one process or several, life after life: started, killed, stopped, started again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.app import Services, services_on
from bot.core.background import run_alongside
from handlers.adapter import SlackChat
from handlers.costs.notices import give_notices
from handlers.fields.cards import SlackFields
from handlers.knowledge.sources import SlackDocuments
from handlers.serve import DRAIN_S, introduce, open_door
from handlers.slack.client import SlackClient
from handlers.slack.downloads import SlackFiles
from handlers.slack.pacing import Pacing
from handlers.unanswered.people import SlackPeople
from handlers.unanswered.refusal import RefusalNotes
from handlers.voice.cards import ClipCards
from tests.simulator.clock import CLOCK
from tests.simulator.database import Place, StoryEngine
from tests.simulator.filehost import FileHost
from tests.simulator.life import Life
from tests.simulator.model import StoryTransport
from tests.simulator.plan import FAULTS_END_S
from tests.simulator.respond import responding
from tests.simulator.slack import StoryClient

if TYPE_CHECKING:
    from tests.simulator.story import Story


NOTICED_S = (0.0, 2.5)  # after a death, until the others have noticed


@dataclass
class Process:
    """One of them. `services` are those of the life that is ready, if one is."""

    number: int
    life: Life | None = None
    services: Services | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Callable[[], None]] = field(default_factory=list)


class Lives:
    """`count` processes share the database, if there are several; each is started again whenever it ends."""

    def __init__(self, story: Story, count: int) -> None:
        self._story = story
        self._begun = 0
        self._processes = [Process(number) for number in range(count)]

    @property
    def are_idle(self) -> bool:
        """Whether all of them are ready and have nothing to do."""
        ready = [process.services for process in self._processes]
        return all(services is not None and services.inbox.idle for services in ready)

    def stop(self) -> None:
        """The operator tells all processes to end."""
        for process in self._processes:
            process.stopping.set()

    def stop_one(self) -> None:
        """As an upgrade does it, one after the other."""
        self._story.dice.choice(self._processes).stopping.set()

    async def go_on(self) -> None:
        """Starts each process again whenever it ends."""
        if self._story.away_s:
            await asyncio.sleep(self._story.away_s)
        await asyncio.gather(*(self._go_on(process) for process in self._processes))

    async def _go_on(self, process: Process) -> None:
        story = self._story
        while True:
            kill_at = story.plan.kills[self._begun] if self._begun < len(story.plan.kills) else None
            self._begun += 1
            await self._live(process, self._begun, kill_at)
            await asyncio.sleep(story.dice.uniform(0.1, 2.0))

    async def end(self) -> None:
        for process in self._processes:
            if process.life:
                process.life.alive = False
                await process.life.gone()

    async def _live(self, process: Process, number: int, kill_at: int | None) -> None:
        story, over = self._story, asyncio.Event()

        def died(where: str) -> None:
            story.tell(f"KILLED at: {where}")
            story.outcome.counts["kills"] += 1
            story.line.open.pop(process.number, None)
            over.set()

        life = process.life = Life(number, kill_at, died=died)
        process.stopping = asyncio.Event()
        story.tell(f"life {number} begins")
        worker = self._register(process)
        root = life.start(self._process(life, process, worker))
        root.add_done_callback(lambda _: over.set())
        await over.wait()
        asked_to = process.stopping.is_set()
        if life.alive:
            self._note_end(root, ready=process.services is not None)
        life.alive, process.services = False, None
        story.line.open.pop(process.number, None)
        if story.conn.in_transaction:
            story.conn.rollback()
        await life.gone()
        if worker:
            story.beside(self._strike_off(worker, 0.0 if asked_to and not life.killed else None))

    def _register(self, process: Process) -> int:
        """Its number on a database that it shares; 0 where it is alone."""
        process.listeners.clear()
        if len(self._processes) == 1:
            return 0
        row = self._story.tx.one(
            "insert into workers (slot, process, begun_at, seen_at) values (:slot, '', 0, 0) returning id",
            slot=process.number,
        )
        assert row is not None
        return int(row["id"])

    async def _strike_off(self, worker: int, after_s: float | None) -> None:
        """The others notice that it has gone."""
        await asyncio.sleep(self._story.dice.uniform(*NOTICED_S) if after_s is None else after_s)
        self._story.tx.run("delete from workers where id = :id", id=worker)
        self.wake()

    def wake(self) -> None:
        for process in self._processes:
            for woken in process.listeners:
                woken()

    def _note_end(self, root: asyncio.Task[None], *, ready: bool) -> None:
        """A process that stopped by itself: asked to, or because it could not start."""
        error, outcome = root.exception(), self._story.outcome
        self._story.tell(f"the process ended: {error!r}")
        outcome.counts["ends"] += 1
        if error is not None and ready:
            outcome.broken.append(f"a process that was ready ended with {error!r}")

    async def _process(self, life: Life, process: Process, worker: int) -> None:
        """What handlers/serve.py does, without sockets and health checks."""
        story = self._story
        plan, settings = story.plan, story.settings
        client = StoryClient(settings.slack_api_url, story.slack, life, story.dice, plan.slack, story.tell)
        chat = SlackChat(SlackClient(client, Pacing(settings.streams_per_minute)), settings)
        engine = StoryEngine(
            story.conn,
            life,
            story.dice,
            busy=plan.busy if CLOCK.passed_s < FAULTS_END_S else 0.0,
            ends_at=FAULTS_END_S,
            committed=story.committed,
            place=Place(worker, process.number, process.listeners, self.wake),
        )
        transport = StoryTransport(
            settings, life, story.dice, plan.model, minds=story.minds, made=story.made, tell=story.tell
        )
        client.session = host = FileHost(story.slack, life, story.dice, plan.slack)  # type: ignore[assignment]
        files = SlackFiles(settings, chat.slack, host)  # type: ignore[arg-type]
        cards = ClipCards(settings, chat.slack, files, chat.threads)
        documents = SlackDocuments(settings, chat, files)
        async with services_on(
            engine,
            transport,
            settings,
            chat=chat,
            cards=cards,
            documents=documents,
            fields=SlackFields(chat.slack),
            refusals=RefusalNotes(chat.slack),
            people=SlackPeople(chat),
        ) as services:
            await introduce(chat.slack, settings)
            app = open_door(settings, services, chat).app
            app.use(responding(story.slack, life, story.dice))
            process.services, story.line.open[process.number] = services, (life, app)
            async with run_alongside(give_notices(services, chat)) if story.notices else nullcontext():
                await process.stopping.wait()
                story.line.open.pop(process.number, None)
                await services.inbox.drain(DRAIN_S)
