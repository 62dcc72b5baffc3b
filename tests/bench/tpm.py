"""Tokens per minute in a busy hour, on virtual time: how much of a limit is used, how evenly, and by whom.

The real scheduler beside two usual clients, on the same requests: one that repeats what is refused with
growing pauses, as the openai package does, and aiolimiter's bucket of one minute in front of that. The
servers count what requests reserve, or what they use, by fixed minutes or refilling all the time.

`python -m tests.bench.tpm`: the same figures on every machine.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.provider.fair_share import Scheduler
from bot.provider.forecasts import Forecast
from bot.provider.model_line import Ask, Ticket
from bot.provider.model_server import ModelServer
from tests.support.virtual_time import now, run

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

MINUTE_S = 60.0
LIMITS = {"reserve": 60_000, "use": 40_000}  # the same requests count less there
BEGINS_S = 30.0  # the busy hour, in the middle of a minute
NETWORK_S, TOKENS_PER_S = 0.05, 60.0
PROMPT, LONGEST, SMALLEST, LARGEST = 500, 2_500, 150, 900  # tokens of a request and its answer
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 8.0

Window = Literal["fixed", "refilling"]
Counted = Literal["reserve", "use"]


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

    def __init__(self, window: Window, counted: Counted) -> None:
        self.limit = LIMITS[counted]
        self.counted = counted
        self.sent = self.refused = 0
        self.log: list[tuple[float, str, str, int]] = []  # when, channel, person, tokens
        self._window = window
        self._left, self._at = float(self.limit), 0.0

    def arrive(self, question: Question) -> tuple[bool, dict[str, str]]:
        """Whether it is taken, and the headers of the response."""
        self._refill()
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
        headers = {} if taken else {"retry-after": f"{wait_s + 0.001:.3f}"}
        headers["x-ratelimit-limit-tokens"] = str(self.limit)
        headers["x-ratelimit-remaining-tokens"] = str(max(0, int(self._left)))
        headers["x-ratelimit-reset-tokens"] = f"{reset_s:.3f}s"
        return headers


@dataclass
class Waits:
    """What a client saw: how long each question waited, and each forecast beside what came of it."""

    of_questions: list[tuple[Question, float]] = field(default_factory=list)
    forecasts: list[tuple[float, float]] = field(default_factory=list)


class Client(Protocol):
    def __call__(
        self, server: TokenServer, waits: Waits
    ) -> Callable[[Question], Coroutine[Any, Any, None]]: ...


def parley(server: TokenServer, waits: Waits) -> Callable[[Question], Coroutine[Any, Any, None]]:
    """The real scheduler, which is told nothing but what the server says."""
    scheduler, there = Scheduler(clock=now), ModelServer("https://model.example.com/v1")

    async def ask(question: Question) -> None:
        since, told, ticket = now(), list[tuple[float, float]](), Ticket()
        wants = Ask(question.channel, question.person, "answer", question.prompt, question.longest)

        def tell(forecast: Forecast | None) -> None:
            if forecast:
                told.append((now(), forecast.wait_s))

        while True:
            share = await scheduler.acquire(there, "m", wants, ticket, tell=tell)
            await asyncio.sleep(NETWORK_S)
            taken, headers = server.arrive(question)
            if taken:
                break
            share.refuse(headers, float(headers["retry-after"]))
            share.leave()
        share.note_headers(headers)
        at = now() - NETWORK_S
        waits.of_questions.append((question, at - since))
        waits.forecasts += [(forecast_s, at - when) for when, forecast_s in told]
        await asyncio.sleep(question.output / TOKENS_PER_S)
        server.finish(question)
        share.settle(question.used, question.output)
        share.leave()

    return ask


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
            await asyncio.sleep(max(pause_s, float(headers["retry-after"])))
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
    first_ten_s: float  # of what was counted in a minute
    jain: float  # of received / max-min share, by channel
    calm_channel: float  # p95 of its waits / of those with a fair share of its own
    calm_person: float  # likewise
    forecasts: float  # share of them within 30 % (or two seconds) of what came
    median_error: float


def measure(client: Client, window: Window, counted: Counted, *, minutes: int = 10) -> Figures:
    return run(_measure(client, TokenServer(window, counted), minutes))


async def _measure(client: Client, server: TokenServer, minutes: int) -> Figures:
    questions, waits = busy_hour(server.counted, minutes), Waits()
    ask = client(server, waits)

    async def come(question: Question) -> None:
        await asyncio.sleep(question.at)
        await ask(question)

    tasks = [asyncio.create_task(come(question)) for question in questions]
    end = BEGINS_S + minutes * MINUTE_S
    await asyncio.sleep(end)
    sent, refused = server.sent, server.refused
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log = [entry for entry in server.log if entry[0] < end]
    total = sum(amount for *_, amount in log)
    early = sum(amount for at, *_, amount in log if at % MINUTE_S < 10)
    close = [abs(said - came) <= max(0.3 * came, 2.0) for said, came in waits.forecasts]
    errors = [abs(said - came) / came for said, came in waits.forecasts if came > 0]
    return Figures(
        used=total / (server.limit * minutes),
        refused=refused / sent,
        first_ten_s=early / total,
        jain=_jain(log, questions, server, end),
        calm_channel=_slower(waits, questions, server, end, 1 / 5, lambda q: q.channel == CALM[0]),
        calm_person=_slower(waits, questions, server, end, 1 / 10, lambda q: q.person == CALM_PERSON),
        forecasts=sum(close) / len(close) if close else float("nan"),
        median_error=median(errors) if errors else float("nan"),
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
    "in the first 10 s",
    "Jain index",
    "calm channel, p95 wait / fair-share wait",
    "calm person, likewise",
    "forecasts within 30 %",
    "median error",
)


def main() -> None:
    for window in ("fixed", "refilling"):
        for counted in ("reserve", "use"):
            print(f"\nA server that counts what is {counted}d by {window} minutes")
            rows = {name: measure(client, window, counted) for name, client in CLIENTS.items()}
            print(f"{'':42}" + "".join(f"{name:>12}" for name in rows))
            for at, column in enumerate(COLUMNS):
                values = [list(vars_of(figures))[at] for figures in rows.values()]
                print(f"{column:42}" + "".join(f"{value:12.3f}" for value in values))


def vars_of(figures: Figures) -> list[float]:
    return [getattr(figures, name) for name in Figures.__slots__]


if __name__ == "__main__":
    main()
