"""One story: a plan, acted out on virtual time until nothing is left to do, and what its end looks like."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.core import settings_sources
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.server import FakeSlack
from storage.sqlite.writer import SqliteTx
from tests.simulator.accounts import Accounts
from tests.simulator.busy_hours import BusyHours
from tests.simulator.clock import BEGINS_AT, CLOCK, VirtualLoop
from tests.simulator.commands import Commands
from tests.simulator.crashes import Crashes
from tests.simulator.database import new_database
from tests.simulator.deletions import Deletions
from tests.simulator.first_contact import FirstContact
from tests.simulator.life import task_factory
from tests.simulator.line import Line
from tests.simulator.lives import Lives
from tests.simulator.model import Asked, Mind, answering
from tests.simulator.money import Money
from tests.simulator.part import Doing, Part
from tests.simulator.people import People, Post
from tests.simulator.plan import FAULTS_END_S, Act, Plan, drawn
from tests.simulator.promises import Answers
from tests.simulator.subjects import Subjects
from tests.simulator.voice import Voice

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text("utf-8"))
PARTS = (
    People,
    BusyHours,
    Answers,
    Deletions,
    Accounts,
    Money,
    Subjects,
    Voice,
    Commands,
    FirstContact,
    Crashes,
)
ENDS_S = 20_000.0  # a story that is not over by then hangs
SLACK_URL = "https://slack.invalid"
RETRIES_S = (0.1, 60.0, 300.0)  # Slack's own


@dataclass(slots=True)
class Outcome:
    """How a story went. `broken`: promises that were not kept."""

    seed: int
    broken: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Story:
    """The world around the lives of one bot."""

    def __init__(self, seed: int) -> None:
        self.outcome = Outcome(seed)
        self.plan: Plan = drawn(seed)
        self.dice = random.Random(f"the world of {seed}")
        self.conn = new_database()
        self.tx = SqliteTx(self.conn)
        self.slack = FakeSlack(
            manifest=MANIFEST,
            clock=lambda: BEGINS_AT + CLOCK.passed_s,  # Slack's clock is never set
            rate_limits=self.dice.random() < 0.3,
            retry_delays_s=RETRIES_S,
            seed=seed,
        )
        self.slack.workspace.host = SLACK_URL
        self.line = Line(self.slack, self.dice)
        self.posts: dict[int, Post] = {}
        self.cards: dict[str, int] = {}  # the number of the clip that each card is of, by its id
        self.asked: list[Asked] = []  # model requests that left the process
        self.minds: dict[str, Mind] = {"answer": answering}
        self.away_s = 0.0  # so late the first process starts
        self.notices = False  # whether anybody is told of budgets
        self.parts: list[Part] = [part(self) for part in PARTS]
        self.settings = settings_sources.load(self._environment())
        self.does: Mapping[str, Doing] = {kind: do for p in self.parts for kind, do in p.does().items()}
        self.lives = Lives(self, self.plan.processes)
        self._beside: list[asyncio.Task[Any]] = []

    def tell(self, line: str) -> None:
        self.outcome.lines.append(f"{CLOCK.passed_s:9.3f}  {line}")

    def made(self, asked: Asked) -> None:
        """A model request has just left the process."""
        self.asked.append(asked)
        for part in self.parts:
            self.outcome.broken += part.made(asked)

    def committed(self) -> None:
        """Something has just been written down."""
        for part in self.parts:
            self.outcome.broken += part.committed()

    def beside(self, work: Coroutine[Any, Any, Any]) -> None:
        """Something a person waits for, while the story goes on."""
        self._beside.append(asyncio.get_running_loop().create_task(work))

    def _environment(self) -> dict[str, str]:
        common = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": f"{SLACK_URL}/api/",
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": "https://model.invalid/v1",
            "PARLEY_MODEL": "gpt-4.1-mini",
            "PARLEY_STREAMS_PER_MINUTE": str(self.plan.streams_per_minute),
        }
        for part in self.parts:
            common |= part.environment()
        return common

    async def act_out(self) -> None:
        acts: list[Act] = [act for part in self.parts for act in part.acts()]
        for act in sorted(acts, key=lambda act: act.at_s):
            await asyncio.sleep(max(0.0, act.at_s - CLOCK.passed_s))
            try:
                await self.does[act.kind](act)
            except NotPossible as exc:
                self.tell(f"not possible: {act.kind} {act.number}: {exc}")

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(task_factory)
        loop.set_exception_handler(self._unhandled)
        for part in self.parts:
            part.furnish()
        living = asyncio.create_task(self.lives.go_on())
        try:
            await self.act_out()
            await self._quiet()
            self.lives.stop()  # what an earlier life left open is settled at a start
            await asyncio.sleep(60)
            await self._quiet()
            for part in self.parts:
                self.outcome.broken += part.broken()
        except Exception as exc:
            self.outcome.broken.append(f"the story itself fails: {exc!r}")
        finally:
            await self._end(living)
        return self.outcome

    async def _quiet(self) -> None:
        """Returns when faults are over, everything was delivered and nothing waits."""
        while not self._is_quiet():
            if CLOCK.passed_s > ENDS_S:
                waiting = [d.payload for d in self.slack.deliveries if not d.over]
                self.outcome.broken.append(f"the story does not end: {waiting}")
                return
            await asyncio.sleep(5)
            for ws in self.slack.workspaces:
                ws.expire(120.0, 300.0)
        await asyncio.sleep(10)

    def _is_quiet(self) -> bool:
        if CLOCK.passed_s < FAULTS_END_S or not self.lives.are_idle:
            return False
        waiting = self.tx.one("select count(*) as n from inbox where state = 'new'")
        return not waiting["n"] and all(delivery.over for delivery in self.slack.deliveries)  # type: ignore[index]

    async def _end(self, living: asyncio.Task[None]) -> None:
        await self.lives.end()
        for task in (living, *self._beside):
            task.cancel()
        await asyncio.gather(living, *self._beside, return_exceptions=True)
        self.line.close()
        self.conn.close()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.tell(f"unhandled: {context.get('message')} {error!r}")
        self.outcome.broken.append(f"unhandled: {context.get('message')} {error!r} {context.get('future')}")


def run(seed: int) -> Outcome:
    """The story of a seed."""
    CLOCK.begin()
    random.seed(seed)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_tell(seed))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        gc.collect() if seed % 50 == 0 else None


async def _tell(seed: int) -> Outcome:
    return await Story(seed).run()
