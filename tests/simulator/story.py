"""One story: a plan, acted out on virtual time until nothing is left to do, and what its end looks like."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot import config
from bot.app import Services, services_on
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack_forms import NotPossible
from handlers import blocks
from handlers.clips import ClipDesk
from handlers.files import SlackFiles
from handlers.front import SlackFront
from handlers.serve import DRAIN_S, bolt_app, introduce
from handlers.slack import SlackDoor
from storage.sqlite_writer import SqliteTx
from tests.simulator.clock import BEGINS_AT, CLOCK, VirtualLoop
from tests.simulator.database import StoryEngine, new_database
from tests.simulator.life import Life, task_factory
from tests.simulator.model import StoryWire
from tests.simulator.plan import FAULTS_END_S, Act, Plan, drawn
from tests.simulator.slack import Line, StoryClient

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text("utf-8"))
ENDS_S = 20_000.0  # a story that is not over by then hangs
EDITED = 1_000  # an edited question's number is so much higher
RETRIES_S = (0.1, 60.0, 300.0)  # Slack's own


@dataclass(slots=True)
class Post:
    """A question as it stands in Slack."""

    number: int
    user: str
    channel: str
    ts: str
    thread: str
    mentions: bool  # asks for an answer in any case
    deleted: bool = False


@dataclass(slots=True)
class Told:
    """How a story went. `broken`: promises that were not kept."""

    seed: int
    broken: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Story:
    """The world around the lives of one bot."""

    def __init__(self, seed: int) -> None:
        self.told = Told(seed)
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
        self.line = Line(self.slack, self.dice)
        self.posts: dict[int, Post] = {}
        self.made = 0  # model requests that left the process
        self.life: Life | None = None
        self.services: Services | None = None
        self._stopping = asyncio.Event()
        self._settings = config.load(_environment(self.plan, self.slack))

    def tell(self, line: str) -> None:
        self.told.lines.append(f"{CLOCK.passed_s:9.3f}  {line}")

    # The bot, life after life

    async def keep_alive(self) -> None:
        """Starts the bot again whenever it ends."""
        number = 0
        while True:
            kill_at = self.plan.kills[number] if number < len(self.plan.kills) else None
            number += 1
            await self._live(number, kill_at)
            await asyncio.sleep(self.dice.uniform(0.1, 2.0))

    async def _live(self, number: int, kill_at: int | None) -> None:
        over = asyncio.Event()

        def died(where: str) -> None:
            self.tell(f"KILLED at: {where}")
            self.told.counts["kills"] += 1
            self.line.open = None
            over.set()

        life = self.life = Life(number, kill_at, died=died)
        self._stopping = asyncio.Event()
        self.tell(f"life {number} begins")
        root = life.start(self._process(life, self._stopping))
        root.add_done_callback(lambda _: over.set())
        await over.wait()
        if life.alive:
            self._note_end(root)
        life.alive, self.services, self.line.open = False, None, None
        if self.conn.in_transaction:
            self.conn.rollback()
        await life.gone()

    def _note_end(self, root: asyncio.Task[None]) -> None:
        """A process that stopped by itself: asked to, or because it could not start."""
        error = root.exception()
        self.tell(f"the process ended: {error!r}")
        self.told.counts["ends"] += 1
        if error is not None and self.services is not None:
            self.told.broken.append(f"a process that was ready ended with {error!r}")

    async def _process(self, life: Life, stopping: asyncio.Event) -> None:
        plan, settings = self.plan, self._settings
        client = StoryClient(self.slack, life, self.dice, plan.slack, self.tell)
        front = SlackFront(SlackDoor(client), settings)
        busy = plan.busy if CLOCK.passed_s < FAULTS_END_S else 0.0
        engine = StoryEngine(self.conn, life, self.dice, busy=busy, ends_at=FAULTS_END_S)
        wire = StoryWire(settings, life, self.dice, plan.model, made=self._made, tell=self.tell)
        files = SlackFiles(settings, front.door, session=None)  # type: ignore[arg-type]  # nobody sends any
        desk = ClipDesk(settings, front.door, front.pace, files)
        async with services_on(engine, wire, settings, front=front, desk=desk) as services:
            await introduce(front.door, settings)
            app = bolt_app(settings, client, services, front)
            self.services, self.line.open = services, (life, app)
            await stopping.wait()
            self.line.open = None
            await services.inbox.drain(DRAIN_S)

    def _made(self) -> None:
        self.made += 1

    # What people and operators do

    async def act_out(self) -> None:
        for act in self.plan.acts:
            await asyncio.sleep(max(0.0, act.at_s - CLOCK.passed_s))
            try:
                await getattr(self, f"_{act.kind}")(act)
            except NotPossible as exc:
                self.tell(f"not possible: {act.kind} {act.number}: {exc}")

    async def _say(self, act: Act) -> None:
        """A question in a thread of its own, or in the one a person has with the bot."""
        await self._post(act, thread="", mention=act.channel != "@parley")

    async def _follow(self, act: Act) -> None:
        """A question in a thread that is there, half of them without a mention."""
        before = self.posts.get(self.dice.randrange(1, act.number))
        if before is None or before.deleted:
            return
        mention = self.dice.random() < 0.5
        await self._post(act, thread=before.thread, mention=mention, channel=before.channel)

    async def _post(self, act: Act, *, thread: str, mention: bool, channel: str = "") -> None:
        where, user = channel or act.channel, self.dice.choice(("alice", "bob"))
        if where == "@parley":
            user = "alice"
        if self.plan.disorder:
            self._disturb()
        text = f"{'@parley ' if mention else ''}what about q{act.number} ?"
        ts = await self.slack.say(user, where, text, thread_ts=thread or None)
        self.tell(f"{user} asks q{act.number} in {where} {ts} (thread {thread or ts})")
        sure = mention or where == "@parley"
        self.posts[act.number] = Post(act.number, user, where, ts, thread or ts, sure)

    def _disturb(self) -> None:
        delay_s = self.dice.choice((0.0, 0.0, 0.5, 3.0))
        order = {
            "copies": self.dice.choice((0, 0, 1, 3)),
            "lose_acks": self.dice.choice((0, 0, 1, 2)),
            "delay_s": delay_s,
        }
        self.slack.faults.deliver(self.dice.choice(("message", "app_mention", "*")), **order)

    async def _edit(self, act: Act) -> None:
        post = self._asked(act)
        mention = "@parley " if post.mentions and post.channel != "@parley" else ""
        text = f"{mention}what about q{act.number + EDITED} ?"
        self.tell(f"{post.user} edits q{act.number}")
        await self.slack.edit(post.user, post.channel, post.ts, text)

    async def _delete(self, act: Act) -> None:
        post = self._asked(act)
        self.tell(f"{post.user} deletes q{act.number}")
        post.deleted = True
        await self.slack.delete(post.user, post.channel, post.ts)

    async def _stop(self, act: Act) -> None:
        post = self._asked(act)
        self.tell(f"{post.user} stops the thread of q{act.number}")
        await self.slack.stop(post.user, post.channel, post.thread)

    async def _again(self, act: Act) -> None:
        """Presses "Try again" under every answer that has it."""
        post = self._asked(act)
        place = self.slack.place(post.user, post.channel)[2]
        for message in self.slack.thread(place.id, post.thread):
            if f'"{blocks.RETRY}"' in str(message.get("blocks")).replace("'", '"'):
                self.tell(f"{post.user} tries again under {message['ts']}")
                pressing = self.slack.press(post.user, post.channel, message["ts"], blocks.RETRY)
                self._acts.append(asyncio.get_running_loop().create_task(pressing))

    async def _archive(self, act: Act) -> None:
        self.tell(f"{act.channel} is archived")
        await self.slack.archive("alice", act.channel)

    async def _restart(self, act: Act) -> None:
        self.tell("the operator stops the bot")
        self._stopping.set()

    async def _clock(self, act: Act) -> None:
        self.tell(f"the clock of the machine is set by {act.jump_s:+.0f} s")
        CLOCK.wall_off_s += act.jump_s

    def _asked(self, act: Act) -> Post:
        post = self.posts.get(act.number)
        if post is None or post.deleted:
            raise NotPossible("nobody asked that")
        return post

    # To its end

    async def run(self) -> Told:
        from tests.simulator.promises import broken

        loop = asyncio.get_running_loop()
        loop.set_task_factory(task_factory)
        loop.set_exception_handler(self._unhandled)
        self._acts: list[asyncio.Task[Any]] = []
        keeper = asyncio.create_task(self.keep_alive())
        try:
            await self.act_out()
            await self._quiet()
            self._stopping.set()  # what an earlier life left open is settled at a start
            await asyncio.sleep(60)
            await self._quiet()
            self.told.broken += broken(self)
        except Exception as exc:
            self.told.broken.append(f"the story itself fails: {exc!r}")
        finally:
            await self._end(keeper)
        return self.told

    async def _quiet(self) -> None:
        """Returns when faults are over, everything was delivered and nothing waits."""
        while not self._is_quiet():
            if CLOCK.passed_s > ENDS_S:
                waiting = [d.payload for d in self.slack.deliveries if not d.over]
                self.told.broken.append(f"the story does not end: {waiting}")
                return
            await asyncio.sleep(5)
            for ws in self.slack.workspaces:
                ws.expire(120.0, 300.0)
        await asyncio.sleep(10)

    def _is_quiet(self) -> bool:
        if CLOCK.passed_s < FAULTS_END_S or self.services is None or not self.services.inbox.idle:
            return False
        waiting = self.tx.one("select count(*) as n from inbox where state = 'new'")
        return not waiting["n"] and all(delivery.over for delivery in self.slack.deliveries)  # type: ignore[index]

    async def _end(self, keeper: asyncio.Task[None]) -> None:
        if self.life:
            self.life.alive = False
            await self.life.gone()
        for task in (keeper, *self._acts):
            task.cancel()
        await asyncio.gather(keeper, *self._acts, return_exceptions=True)
        self.line.close()
        self.conn.close()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.tell(f"unhandled: {context.get('message')} {error!r}")
        self.told.broken.append(f"unhandled: {context.get('message')} {error!r} {context.get('future')}")


def _environment(plan: Plan, slack: FakeSlack) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": "https://model.invalid/v1",
        "PARLEY_MODEL": "gpt-4.1-mini",
        "PARLEY_STREAMS_PER_MINUTE": str(plan.streams_per_minute),
    }


def run(seed: int) -> Told:
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


async def _tell(seed: int) -> Told:
    return await Story(seed).run()
