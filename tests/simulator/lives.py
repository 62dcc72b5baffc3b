"""The bot in a story, life after life: started, killed, stopped, started again."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from bot.app import Services, services_on
from bot.core.background import run_alongside
from handlers.adapter import SlackChat
from handlers.costs.notices import give_notices
from handlers.serve import DRAIN_S, introduce, open_door
from handlers.slack.client import SlackClient
from handlers.slack.downloads import SlackFiles
from handlers.slack.pacing import Pacing
from handlers.voice.cards import ClipCards
from tests.simulator.clock import CLOCK
from tests.simulator.database import StoryEngine
from tests.simulator.filehost import FileHost
from tests.simulator.life import Life
from tests.simulator.model import StoryTransport
from tests.simulator.plan import FAULTS_END_S
from tests.simulator.respond import responding
from tests.simulator.slack import StoryClient

if TYPE_CHECKING:
    from tests.simulator.story import Story


class Lives:
    """`services` are those of the life that is ready, if one is."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.life: Life | None = None
        self.services: Services | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """The operator tells the process to end."""
        self._stopping.set()

    async def go_on(self) -> None:
        """Starts the bot again whenever it ends."""
        story, number = self._story, 0
        if story.away_s:
            await asyncio.sleep(story.away_s)
        while True:
            kill_at = story.plan.kills[number] if number < len(story.plan.kills) else None
            number += 1
            await self._live(number, kill_at)
            await asyncio.sleep(story.dice.uniform(0.1, 2.0))

    async def end(self) -> None:
        if self.life:
            self.life.alive = False
            await self.life.gone()

    async def _live(self, number: int, kill_at: int | None) -> None:
        story, over = self._story, asyncio.Event()

        def died(where: str) -> None:
            story.tell(f"KILLED at: {where}")
            story.outcome.counts["kills"] += 1
            story.line.open = None
            over.set()

        life = self.life = Life(number, kill_at, died=died)
        self._stopping = asyncio.Event()
        story.tell(f"life {number} begins")
        root = life.start(self._process(life, self._stopping))
        root.add_done_callback(lambda _: over.set())
        await over.wait()
        if life.alive:
            self._note_end(root)
        life.alive, self.services, story.line.open = False, None, None
        if story.conn.in_transaction:
            story.conn.rollback()
        await life.gone()

    def _note_end(self, root: asyncio.Task[None]) -> None:
        """A process that stopped by itself: asked to, or because it could not start."""
        error, outcome = root.exception(), self._story.outcome
        self._story.tell(f"the process ended: {error!r}")
        outcome.counts["ends"] += 1
        if error is not None and self.services is not None:
            outcome.broken.append(f"a process that was ready ended with {error!r}")

    async def _process(self, life: Life, stopping: asyncio.Event) -> None:
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
        )
        transport = StoryTransport(
            settings, life, story.dice, plan.model, minds=story.minds, made=story.made, tell=story.tell
        )
        client.session = host = FileHost(story.slack, life, story.dice, plan.slack)  # type: ignore[assignment]
        files = SlackFiles(settings, chat.slack, host)  # type: ignore[arg-type]
        cards = ClipCards(settings, chat.slack, files, chat.threads)
        async with services_on(engine, transport, settings, chat=chat, cards=cards) as services:
            await introduce(chat.slack, settings)
            app = open_door(settings, services, chat).app
            app.use(responding(story.slack, life, story.dice))
            self.services, story.line.open = services, (life, app)
            async with run_alongside(give_notices(services, chat)) if story.notices else nullcontext():
                await stopping.wait()
                story.line.open = None
                await services.inbox.drain(DRAIN_S)
