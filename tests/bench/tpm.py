"""Tokens per minute in a busy hour, on virtual time: how much of a limit is used, how evenly, and by whom.

The real scheduler beside two usual clients, on the same requests: one that repeats what is refused with
growing pauses, as the openai package does, and aiolimiter's bucket of one minute in front of that. The
servers count what requests reserve, or what they use, by fixed minutes or refilling all the time; some tell
nothing of their limit, and take less from the middle on.

`python -m tests.bench.tpm`: the same figures on every machine. With `--ceiling` also how right forecasts can
be: those of somebody who knows how often everybody comes, but not when, and imagines it many times. With
`--processes 3` beside one process so many on one database, each of which gets every third request of whoever
it may be.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf, nan
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.limits.sharing import Limits
from bot.provider.arrivals import Arrivals, Ask
from bot.provider.fair_share import Scheduler
from bot.provider.forecasts import Forecast
from bot.provider.model_line import Ticket
from bot.provider.model_server import ModelServer
from handlers.reply.queue_words import round_wait
from tests.support.shared_database import SharedDatabase
from tests.support.virtual_time import now, run

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

MINUTE_S = 60.0
AFTER = 10  # minutes that go on in the same way, so that it is seen what came of each forecast
SETTLED_S = 180.0  # until then a server that tells nothing may be found out
SEEDS = (1, 2, 3)
IMAGINED = 5  # courses of what comes, for the ceiling
LIMITS = {"reserve": 60_000, "use": 40_000}  # the same requests count less there
BEGINS_S = 30.0  # the busy hour, in the middle of a minute
NETWORK_S, TOKENS_PER_S = 0.05, 60.0
PROMPT, LONGEST, SMALLEST, LARGEST = 500, 2_500, 150, 900  # tokens of a request and its answer
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 8.0
CLOSE, SHOWN_S = 0.3, 2.5

Window = Literal["fixed", "refilling"]
Counted = Literal["reserve", "use"]
Tells = Literal["limit", "wait", "nothing"]  # of itself, in its headers
LOWER, LOWER_AT_S = 0.6, 630.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `times`: how much larger than usual it is."""

    at: float
    channel: str
    person: str
    output: int
    times: int = 1

    @property
    def prompt(self) -> int:
        return PROMPT * self.times

    @property
    def longest(self) -> int:
        return LONGEST * self.times

    @property
    def used(self) -> int:
        return self.prompt + self.output

    def counts(self, counted: Counted) -> int:
        return self.used if counted == "use" else self.prompt + self.longest


class TokenServer:
    """A model API with a limit. Of what it counted, it knows when and for whom."""

    def __init__(
        self, window: Window, counted: Counted, tells: Tells = "limit", lower_at: float = inf
    ) -> None:
        self.limit = LIMITS[counted]
        self.lowered_at = inf
        self._tells, self._lower_at = tells, lower_at
        self.counted = counted
        self.sent = self.refused = 0
        self.log: list[tuple[float, str, str, int]] = []  # when, channel, person, tokens
        self._window = window
        self._left, self._at = float(self.limit), 0.0

    def arrive(self, question: Question) -> tuple[bool, dict[str, str]]:
        """Whether it is taken, and the headers of the response."""
        self._refill()
        if self._at >= self._lower_at:
            self.limit, self._lower_at, self.lowered_at = int(self.limit * LOWER), inf, self._at
            self._left = min(self._left, self.limit)
        self.sent += 1
        amount = question.prompt + question.longest if self.counted == "reserve" else question.prompt
        taken = self._left >= min(amount, self.limit)
        if taken:
            self._count(question, amount)
        else:
            self.refused += 1
        return taken, self._headers(amount, taken)

    def finish(self, question: Question) -> None:
        """Its answer has ended."""
        self._refill()
        if self.counted == "use":
            self._count(question, question.output)

    def _count(self, question: Question, amount: int) -> None:
        self._left -= amount
        self.log.append((now(), question.channel, question.person, amount))

    def _refill(self) -> None:
        at = now()
        if self._window == "refilling":
            self._left = min(self.limit, self._left + (at - self._at) * self.limit / MINUTE_S)
        elif at // MINUTE_S > self._at // MINUTE_S:
            self._left = self.limit
        self._at = at

    def _headers(self, amount: int, taken: bool) -> dict[str, str]:
        ends_s = MINUTE_S - self._at % MINUTE_S
        refilling = self._window == "refilling"
        reset_s = (self.limit - self._left) * MINUTE_S / self.limit if refilling else ends_s
        wait_s = max(0.0, (amount - self._left) * MINUTE_S / self.limit) if refilling else ends_s
        headers = {} if taken or self._tells == "nothing" else {"retry-after": f"{wait_s + 0.001:.3f}"}
        if self._tells != "limit":
            return headers
        headers["x-ratelimit-limit-tokens"] = str(self.limit)
        headers["x-ratelimit-remaining-tokens"] = str(max(0, int(self._left)))
        headers["x-ratelimit-reset-tokens"] = f"{reset_s:.3f}s"
        return headers


@dataclass(slots=True)
class Told:
    """One forecast, and what came of it."""

    to: Question
    at: float
    said_s: float
    came_s: float = inf  # nothing yet

    @property
    def error(self) -> float:
        return abs(self.said_s - self.came_s) / max(self.came_s, 0.001) if self.came_s < inf else inf

    @property
    def shown_right(self) -> bool:
        """As it is read: rounded, and up to 20 s nobody takes it for more exact than the steps of 5 s."""
        shown_s = round_wait(self.said_s)
        error_s = abs(shown_s - self.came_s)
        return error_s < inf and error_s <= max(CLOSE * self.came_s, SHOWN_S if shown_s <= 20 else 0)


@dataclass
class Waits:
    """What a client saw: how long each question waited, and each forecast beside what came of it."""

    of_questions: list[tuple[Question, float]] = field(default_factory=list)
    forecasts: list[Told] = field(default_factory=list)


class Client(Protocol):
    def __call__(
        self, server: TokenServer, waits: Waits
    ) -> Callable[[Question], Coroutine[Any, Any, None]]: ...


def parley(
    server: TokenServer,
    waits: Waits,
    arrivals: Callable[[float], Arrivals] = Arrivals,
    limits: Limits | None = None,
) -> Callable[[Question], Coroutine[Any, Any, None]]:
    """The real scheduler, which is told nothing but what the server says."""
    scheduler = Scheduler(clock=now, arrivals=arrivals, limits=limits)
    there = ModelServer("https://model.example.com/v1")

    async def ask(question: Question) -> None:
        since, told, ticket = now(), list[Told](), Ticket()
        wants = Ask(question.channel, question.person, "answer", question.prompt, question.longest)

        def tell(forecast: Forecast | None) -> None:
            if forecast:
                told.append(Told(question, now(), forecast.wait_s))
                waits.forecasts.append(told[-1])

        while True:
            share = await scheduler.acquire(there, "m", wants, ticket, tell=tell)
            await asyncio.sleep(NETWORK_S)
            taken, headers = server.arrive(question)
            if taken:
                break
            wait = headers.get("retry-after")
            share.refuse(headers, float(wait) if wait else None)
            share.leave()
        share.note_headers(headers)
        at = now() - NETWORK_S
        waits.of_questions.append((question, at - since))
        for one in told:
            one.came_s = at - one.at
        await asyncio.sleep(question.output / TOKENS_PER_S)
        server.finish(question)
        share.settle(question.used, question.output)
        share.leave()

    return ask


class ParleyProcesses:
    """Several of them on one database. `spread`: which of them gets a question."""

    def __init__(self, count: int, spread: Callable[[Question, int], int] | None = None) -> None:
        self._count = count
        self._spread = spread or _by_turns

    def __call__(self, server: TokenServer, waits: Waits) -> Callable[[Question], Coroutine[Any, Any, None]]:
        database, loop = SharedDatabase(now), asyncio.get_running_loop()
        processes, self._keeping = [], list[asyncio.Task[None]]()
        for _ in range(self._count):
            limits = database.join().limits
            self._keeping.append(loop.create_task(limits.keep_divided()))
            processes.append(parley(server, waits, limits=limits))
        numbers = itertools.count()

        async def ask(question: Question) -> None:
            await processes[self._spread(question, next(numbers)) % self._count](question)

        return ask


def _by_turns(question: Question, number: int) -> int:
    return number


def by_channel(question: Question, number: int) -> int:
    """The worst that may be: each process has channels of its own."""
    return zlib.crc32(question.channel.encode())


class Imagined(Arrivals):
    """Somebody who knows how often everybody comes, and draws when."""

    def __init__(self, counted: Counted, minutes: int, draw: int) -> None:
        super().__init__(0.0)
        self._counted, self._minutes, self._draw = counted, minutes, draw

    def expected(self, now: float) -> Iterator[tuple[float, Ask]]:
        # Nobody knows what comes, whoever draws it: other seeds than those of the questions.
        seed = 1000 * self._draw + int(now) + 2
        for one in busy_hour(self._counted, self._minutes, seed=seed):
            if one.at > now:
                yield one.at, Ask(one.channel, one.person, "answer", one.prompt, one.longest)


def backoff(server: TokenServer, waits: Waits) -> Callable[[Question], Coroutine[Any, Any, None]]:
    """Asks at once, and again after growing pauses, or when the server says so."""
    return _repeating(server, waits, None)


def aiolimiter(server: TokenServer, waits: Waits) -> Callable[[Question], Coroutine[Any, Any, None]]:
    """The same behind a bucket that knows the limit and what the server counts."""
    from aiolimiter import AsyncLimiter

    return _repeating(server, waits, AsyncLimiter(server.limit, MINUTE_S))


def _repeating(
    server: TokenServer, waits: Waits, limiter: AsyncLimiter | None
) -> Callable[[Question], Coroutine[Any, Any, None]]:
    chance = random.Random(5)

    async def ask(question: Question) -> None:
        since = now()
        if limiter:
            await limiter.acquire(question.counts(server.counted))
        failures = 0
        while True:
            await asyncio.sleep(NETWORK_S)
            taken, headers = server.arrive(question)
            if taken:
                break
            pause_s = min(BACKOFF_S * 2**failures, LONGEST_BACKOFF_S) * (1 - chance.random() / 4)
            failures += 1
            await asyncio.sleep(max(pause_s, float(headers.get("retry-after", 0))))
        waits.of_questions.append((question, now() - NETWORK_S - since))
        await asyncio.sleep(question.output / TOKENS_PER_S)
        server.finish(question)

    return ask


CLIENTS: dict[str, Client] = {"parley": parley, "backoff": backoff, "aiolimiter": aiolimiter}
FLOODING, LARGE, CALM = "deploys", "reports", ("design", "sales", "support")
CALM_PERSON = "calm"


def busy_hour(counted: Counted, minutes: int, *, seed: int = 1) -> list[Question]:
    """Two channels want more than their share, one in bursts, one with large requests; three calm ones, and a
    calm person in the first, want less."""
    chance = random.Random(seed)
    fits = (
        LIMITS[counted]
        * minutes
        / (PROMPT + LONGEST if counted == "reserve" else PROMPT + (SMALLEST + LARGEST) / 2)
    )
    found = list[Question]()

    def add(at: float, channel: str, person: str, times: int = 1) -> None:
        found.append(
            Question(BEGINS_S + at, channel, person, chance.randint(SMALLEST, LARGEST) * times, times)
        )

    for minute in range(minutes):
        at = (minute + chance.random()) * MINUTE_S
        for _ in range(int(fits / minutes * 0.5)):
            add(at, FLOODING, "flooding")
        for _ in range(int(fits / minutes * 0.4 / 2)):
            add(at + chance.uniform(-30, 30), LARGE, chance.choice(["one", "another"]), 2)
    rate = fits / minutes / MINUTE_S
    for channel, person, share in [*((c, "one", 0.14) for c in CALM), (FLOODING, CALM_PERSON, 0.06)]:
        at = chance.expovariate(rate * share)
        while at < minutes * MINUTE_S:
            add(at, channel, person)
            at += chance.expovariate(rate * share)
    return sorted(found, key=lambda question: question.at)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one client at one server."""

    used: float  # of what the server would have counted in these minutes
    refused: float  # of the requests sent
    refused_later: float  # of those after the first minutes
    first_ten_s: float  # of what was counted in a minute
    jain: float  # of received / max-min share, by channel
    calm_channel: float  # p95 of its waits / of those with a fair share of its own
    calm_person: float  # likewise
    median_error: float  # of forecasts


def measure(
    client: Client,
    window: Window,
    counted: Counted,
    tells: Tells = "limit",
    *,
    minutes: int = 10,
    after: int = AFTER,
    lower_at: float = inf,
) -> Figures:
    """`lower_at`: from then on the server takes less."""
    server, waits = TokenServer(window, counted, tells, lower_at), Waits()
    return run(_measure(client, server, waits, minutes, after))


@dataclass(frozen=True, slots=True)
class Forecasts:
    """How right single ones were."""

    close: float  # share of them within 30 % of what came
    shown: float  # share of what was shown that is right
    median_error: float

    @classmethod
    def of(cls, told: Sequence[Told]) -> Forecasts:
        if not told:
            return cls(nan, nan, nan)
        close = sum(one.error <= CLOSE for one in told) / len(told)
        return cls(close, sum(one.shown_right for one in told) / len(told), median(one.error for one in told))


def measure_forecasts(window: Window, counted: Counted, *, minutes: int = 10) -> Forecasts:
    """In several busy hours: what is said in one of them is right or wrong together."""
    told = [one for seed in SEEDS for one in _told(window, counted, minutes, seed, Arrivals)]
    return Forecasts.of(told)


def measure_ceiling(window: Window, counted: Counted, *, minutes: int = 10) -> Forecasts:
    """The best that can be said without knowing what comes when."""
    best = list[Told]()
    for seed in SEEDS:
        said = defaultdict[tuple[Question, float], list[Told]](list)
        for draw in range(IMAGINED):
            imagined = partial(_imagined, counted, minutes + AFTER, draw)
            for one in _told(window, counted, minutes, seed, imagined):
                said[one.to, round(one.at, 1)].append(one)
        for same in said.values():
            if len(same) == IMAGINED:
                waits = [one.said_s for one in same]
                best.append(replace(same[0], said_s=max(sorted(waits), key=partial(_hits, waits))))
    return Forecasts.of(best)


def _imagined(counted: Counted, minutes: int, draw: int, began: float) -> Arrivals:
    return Imagined(counted, minutes, draw)


def _told(
    window: Window, counted: Counted, minutes: int, seed: int, arrivals: Callable[[float], Arrivals]
) -> list[Told]:
    server, waits = TokenServer(window, counted), Waits()
    run(_measure(partial(parley, arrivals=arrivals), server, waits, minutes, AFTER, seed=seed))
    return [one for one in waits.forecasts if one.at < BEGINS_S + minutes * MINUTE_S]


def _hits(said: Sequence[float], one: float) -> int:
    """How many of these courses a forecast would be right for; of two the one in the middle."""
    return sum(abs(one - other) <= CLOSE * other for other in said)


async def _measure(
    client: Client, server: TokenServer, waits: Waits, minutes: int, after: int, *, seed: int = 1
) -> Figures:
    questions = busy_hour(server.counted, minutes, seed=seed)
    for one in busy_hour(server.counted, after, seed=seed + 100):
        questions.append(replace(one, at=one.at + minutes * MINUTE_S))
    ask = client(server, waits)

    async def come(question: Question) -> None:
        await asyncio.sleep(question.at)
        await ask(question)

    limit, tasks = server.limit, [asyncio.create_task(come(question)) for question in questions]
    end = BEGINS_S + minutes * MINUTE_S
    await asyncio.sleep(BEGINS_S + SETTLED_S)
    first_sent, first_refused = server.sent, server.refused
    await asyncio.sleep(end - BEGINS_S - SETTLED_S)
    sent, refused = server.sent, server.refused
    lowered_s = max(0.0, end - server.lowered_at)
    may = limit * minutes - (limit - server.limit) * lowered_s / MINUTE_S
    await asyncio.sleep(after * MINUTE_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    questions = [question for question in questions if question.at < end]
    log = [entry for entry in server.log if entry[0] < end]
    total = sum(amount for *_, amount in log)
    early = sum(amount for at, *_, amount in log if at % MINUTE_S < 10)
    told = [one for one in waits.forecasts if one.at < end]
    return Figures(
        used=total / may,
        refused=refused / sent,
        refused_later=(refused - first_refused) / max(sent - first_sent, 1),
        first_ten_s=early / total,
        jain=_jain(log, questions, server, end),
        calm_channel=_slower(waits, questions, server, end, 1 / 5, lambda q: q.channel == CALM[0]),
        calm_person=_slower(waits, questions, server, end, 1 / 10, lambda q: q.person == CALM_PERSON),
        median_error=median(one.error for one in told) if told else nan,
    )


def _jain(
    log: Sequence[tuple[float, str, str, int]], questions: Sequence[Question], server: TokenServer, end: float
) -> float:
    """1 when each channel got what max-min fairness gives it.

    Source: Jain, Chiu and Hawe, "A Quantitative Measure of Fairness" (1984).
    """
    wanted, received = defaultdict[str, float](float), defaultdict[str, float](float)
    for question in questions:
        wanted[question.channel] += question.counts(server.counted)
    for _, channel, _, amount in log:
        received[channel] += amount
    shares = _max_min(wanted, sum(received.values()))
    ratios = [received[channel] / share for channel, share in shares.items()]
    return sum(ratios) ** 2 / (len(ratios) * sum(ratio**2 for ratio in ratios))


def _max_min(wanted: dict[str, float], total: float) -> dict[str, float]:
    """What each gets when nobody can get more without somebody who has less losing some."""
    shares, left = dict[str, float](), total
    for at, (who, wants) in enumerate(sorted(wanted.items(), key=lambda pair: pair[1])):
        shares[who] = min(wants, left / (len(wanted) - at))
        left -= shares[who]
    return shares


def _slower(
    waits: Waits,
    questions: Sequence[Question],
    server: TokenServer,
    end: float,
    share: float,
    whose: Callable[[Question], bool],
) -> float:
    """The p95 wait of somebody's questions beside that with `share` of the limit for nobody else."""
    waited = {id(question): wait_s for question, wait_s in waits.of_questions}
    rate, free, alone, real = server.limit * share / MINUTE_S, 0.0, list[float](), list[float]()
    for question in filter(whose, questions):
        free = max(free, question.at) + question.counts(server.counted) / rate
        alone.append(free - question.at)
        real.append(waited.get(id(question), end - question.at))
    return _p95(real) / _p95(alone)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


COLUMNS = (
    "used of the limit",
    "refused (429)",
    "refused after the first 3 min",
    "in the first 10 s",
    "Jain index",
    "calm channel, p95 wait / fair-share wait",
    "calm person, likewise",
    "median error of forecasts",
)
WINDOWS: tuple[Window, ...] = ("fixed", "refilling")
COUNTED: tuple[Counted, ...] = ("reserve", "use")
SAYS = {"wait": "only Retry-After", "nothing": "nothing at all"}


def main() -> None:
    if "--processes" in sys.argv:
        count = int(sys.argv[sys.argv.index("--processes") + 1])
        CLIENTS.clear()
        CLIENTS["one"] = parley
        CLIENTS[f"{count} mixed"] = ParleyProcesses(count)
        CLIENTS[f"{count} apart"] = ParleyProcesses(count, by_channel)
    for window in WINDOWS:
        for counted in COUNTED:
            print(f"\nA server that counts what is {counted}d by {window} minutes")
            _print({name: measure(client, window, counted) for name, client in CLIENTS.items()})
            if "--processes" in sys.argv:
                continue
            print(f"{'forecasts':20} within 30 %  right as shown  median error")
            found = {"in three hours": measure_forecasts(window, counted)}
            if "--ceiling" in sys.argv:
                found["the most possible"] = measure_ceiling(window, counted)
            for name, figures in found.items():
                print(f"{name:20} {figures.close:11.3f} {figures.shown:15.3f} {figures.median_error:13.3f}")
    silent: tuple[tuple[Window, Counted, Tells, float], ...] = (
        ("fixed", "reserve", "wait", inf),
        ("fixed", "use", "nothing", inf),
        ("refilling", "reserve", "nothing", inf),
        ("refilling", "use", "wait", inf),
        ("fixed", "reserve", "nothing", LOWER_AT_S),
        ("refilling", "use", "wait", LOWER_AT_S),
    )
    for window, counted, tells, lower_at in silent:
        later = "" if lower_at == inf else f"; {1 - LOWER:.0%} less from the middle on"
        print(f"\nOne that tells {SAYS[tells]}: {counted}, {window}{later}")
        _print(
            {
                name: measure(client, window, counted, tells, minutes=20, lower_at=lower_at)
                for name, client in CLIENTS.items()
            }
        )


def _print(rows: dict[str, Figures]) -> None:
    print(f"{'':42}" + "".join(f"{name:>12}" for name in rows))
    for at, column in enumerate(COLUMNS):
        values = [vars_of(figures)[at] for figures in rows.values()]
        print(f"{column:42}" + "".join(f"{value:12.3f}" for value in values))


def vars_of(figures: Figures) -> list[float]:
    return [getattr(figures, name) for name in Figures.__slots__]


if __name__ == "__main__":
    main()
