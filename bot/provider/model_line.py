"""The line of requests for one model at one server: who waits, what the server takes, who goes next.

A request waits for its turn (waiting_line.py), for room at the server (server_load.py), and for what the
server takes per minute (token_bucket.py). All of it is on one clock that is handed in. What several processes
share of it: shared_line.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import cast

from bot.provider.arrivals import Arrivals, Ask
from bot.provider.counting import Counting, Sent, Size
from bot.provider.forecasts import Forecast, Placed, Play
from bot.provider.limit_guess import LimitGuess
from bot.provider.model_server import ModelServer
from bot.provider.output_use import OutputUse
from bot.provider.rate_headers import REQUESTS, TOKENS, ReportedRate, read_rate
from bot.provider.server_load import CautiousStart, ServerLoad
from bot.provider.token_bucket import TokenBucket
from bot.provider.waiting_line import WaitingLine

# What may go out at once after a pause. Azure counts requests in slices of 1 to 10 seconds.
TOKENS_BURST_S, REQUESTS_BURST_S, LEAST_REQUESTS = 10.0, 1.0, 3.0
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 8.0  # after a refusal that does not say how long
SHARED_APART_S = 5.0  # in which what other processes used evens out
CLOCK_STEP_S = 0.001  # a shorter sleep may end before the clock has moved on
TOLD_AFTER_S, TOLD_EVERY_S, CHECK_S = 5.0, 5.0, 2.5


Tell = Callable[[Forecast | None], None]  # None: it is their turn, or they gave up


@dataclass(slots=True)
class Ticket:
    """The place of one request, which it keeps when it is refused. `number`: 0 before its first wait."""

    number: int = 0
    waited_s: float = 0.0


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody in line."""

    ask: Ask
    number: int
    since: float
    tell: Tell | None
    granted: asyncio.Future[Share]
    told_at: float | None = None

    def wants_telling(self, now: float) -> bool:
        return self.tell is not None and (self.told_at is None or now - self.told_at >= TOLD_EVERY_S)


@dataclass(slots=True, eq=False)
class Share:
    """One request on its way. `settle` when it is known what it used, `leave` when it has ended."""

    line: ModelLine
    ask: Ask
    size: Size
    amount: float
    sent: Sent
    beside: int  # how many the server worked on as it began, this one included
    began: float
    refused: bool = field(default=False, init=False)
    taken: bool = field(default=False, init=False)
    _settled: bool = field(default=False, init=False)
    _left: bool = field(default=False, init=False)

    def note_headers(self, headers: Mapping[str, str]) -> None:
        """Those of its response."""
        self.line.heed(headers, self)

    def note_first_token(self, seconds: float) -> None:
        """How long it took from the request to the first token."""
        self.line.load.note_first_token(seconds, self.ask.prompt_tokens, self.beside)

    def refuse(self, headers: Mapping[str, str], pause_s: float | None) -> None:
        """The server takes nothing more for now: nobody is let through meanwhile. None: it does not say how
        long."""
        self.refused = True
        self.line.refuse(headers, pause_s, self)
        self.line.heed(headers, self)
        self.settle(0)

    def settle(self, used_tokens: float, output_tokens: int | None = None) -> None:
        """What it really used; nothing for one that was not sent, or was refused."""
        if not self._settled:
            self._settled = True
            self.line.settle(self, used_tokens, output_tokens)

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self.line.leave(self)


class ModelLine:
    """`freed`: called when there is room at the server again, for all lines there. `hurry`: called when this
    process's part of what the server takes is not enough."""

    def __init__(
        self,
        server: ModelServer,
        load: ServerLoad,
        *,
        clock: Callable[[], float],
        freed: Callable[[], None],
        arrivals: Callable[[float], Arrivals] = Arrivals,
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        self.load = load
        self._clock = clock
        self._hurry = hurry
        self.passed_tokens, self.passed_requests = 0.0, 0  # so far
        self.is_short = False  # of tokens or requests, for whoever waited since this was set to False
        self._freed = freed
        now = clock()
        self.tokens = TokenBucket(server.tokens_per_minute, burst_s=TOKENS_BURST_S, least=0, now=now)
        self.requests = TokenBucket(
            server.requests_per_minute, burst_s=REQUESTS_BURST_S, least=LEAST_REQUESTS, now=now
        )
        self.counting = Counting(server.counted)
        self._outputs = OutputUse()
        self._start = CautiousStart()
        self.guess, self._told = LimitGuess(), False
        self.waiting = WaitingLine[Waiter]()
        self._arrivals = arrivals(now)
        self._newest = 0  # number of who came last
        self._under_way = set[Share]()
        self._frozen_until = self._refused_until = now
        self._refusals = 0  # in a row
        self._timer: asyncio.TimerHandle | None = None
        self._teller: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self.waiting)

    @property
    def head(self) -> int:
        """The number of whose turn it is; 0 when nobody waits."""
        waiter = self.waiting.first()
        return waiter.number if waiter else 0

    def enter(self, waiter: Waiter) -> None:
        if waiter.number > self._newest:  # and was not refused before
            self._newest = waiter.number
            self._arrivals.note(waiter.ask, waiter.since)
        self.waiting.add(waiter.ask.path, waiter)
        self.pump()
        if self.waiting and self._teller is None:
            self._teller = asyncio.get_running_loop().call_later(CHECK_S, self._tell_waiting)

    def give_up(self, waiter: Waiter) -> None:
        """Somebody waits no longer, and leaves no trace."""
        if waiter in self.waiting:
            self.waiting.remove(waiter)
            self.pump()
        elif waiter.granted.done() and not waiter.granted.cancelled():
            share = waiter.granted.result()
            self.requests.take(-1)
            self.passed_requests -= 1
            share.settle(0)
            share.leave()

    def pump(self) -> None:
        """Lets through whoever may pass now."""
        while (waiter := self.waiting.first()) is not None and self._has_room():
            if waiter.granted.cancelled():  # and did not come to leave yet
                self.waiting.remove(waiter)
                continue
            size = self._size(waiter.ask)
            amount = size.amount(self.counting.counted)
            if (wait_s := self._wait_s(amount)) > 0:
                self._ask_for_more()
                self._note_short()
                self._wake_in(wait_s)
                return
            self._serve(waiter, size, amount)

    def refuse(self, headers: Mapping[str, str], pause_s: float | None, share: Share) -> None:
        now = self._clock()
        if now >= self._frozen_until:  # the first of those that were under way together
            self._refusals += 1
            if not self.guess.per_minute:
                self._start.note_refusal(len(self._under_way))
            by_number = read_rate(headers, REQUESTS).remaining == 0  # of requests, not by tokens
            if not by_number and not self._tells(headers) and self.guess.note_refusal(now):
                self.tokens.heed(ReportedRate(self.guess.per_minute), now)
        told = pause_s is not None
        pause_s = (
            min(BACKOFF_S * 2 ** (self._refusals - 1), LONGEST_BACKOFF_S) if pause_s is None else pause_s
        )
        if self.guess.per_minute and not self._tells(headers):
            self.tokens.heed(ReportedRate(remaining=share.amount if told else 0), now)
            pause_s = max(pause_s, self.guess.pause_s(told=told))
        self._refused_until = now + pause_s
        self.freeze(pause_s)

    def freeze(self, pause_s: float) -> None:
        """Nobody is let through for so long."""
        now = self._clock()
        self._frozen_until = max(self._frozen_until, now + pause_s)
        self.tokens.hold(pause_s, now)

    @property
    def refused_s(self) -> float:
        """How much longer the server has nothing to give, as it told this process."""
        return max(self._refused_until - self._clock(), 0.0)

    def _tells(self, headers: Mapping[str, str]) -> bool:
        """Whether the server says what it takes: then nothing is guessed."""
        self._told = self._told or read_rate(headers, TOKENS).limit is not None
        return self._told

    def heed(self, headers: Mapping[str, str], share: Share) -> None:
        """Believes what the server says of its limits in the response to a request."""
        now, tokens = self._clock(), read_rate(headers, TOKENS)
        self.requests.heed(read_rate(headers, REQUESTS), now)
        self.tokens.heed(tokens, now)
        self._tells(headers)
        self._note_taken(share)
        if tokens.remaining is not None and self.tokens.per_minute and not share.refused:
            limit = tokens.limit or self.tokens.in_all
            fills = not self.tokens.has_fixed_minutes
            apart_s = SHARED_APART_S if self.tokens.part < 1 else 0.0
            self.counting.note_left(share.sent, tokens.remaining, limit=limit, fills=fills, apart_s=apart_s)
        self.pump()

    def settle(self, share: Share, used_tokens: float, output_tokens: int | None) -> None:
        counted, unused = self.counting.counted, share.amount - used_tokens
        if share.refused or not used_tokens:
            self.counting.note_not_sent(share.size)
        else:
            self.counting.note_used(share.size, used_tokens)
            self._note_taken(share)
            self._refusals = 0
        if output_tokens is not None:
            self._outputs.note(share.ask.kind, output_tokens, channel=share.ask.channel)
        if counted == "use" or not used_tokens or (counted == "sum" and unused < 0):
            self.tokens.take(-unused)
            self.passed_tokens -= unused
            self.waiting.refund(share.ask.path, unused)
        self.pump()

    def leave(self, share: Share) -> None:
        self._under_way.discard(share)
        if not share.refused:
            self._start.note_answer()
        self.load.leave(self._clock() - share.began)
        self._freed()

    def forecast(self) -> Iterator[tuple[Waiter, Forecast]]:
        """Where everybody stands who waits, the next one first."""
        now = self._clock()
        play = Play(
            now,
            cast("WaitingLine[Placed]", self.waiting.copied()),
            copy(self.tokens),
            copy(self.requests),
            places=self._places,
            lasts_s=self.load.mean_s,
            coming=self._arrivals.expected(now),
            reserved=self._reserved,
            unused=self._unused,
        )
        for share in self._under_way:
            play.add_under_way(share.ask, share.amount, share.began)
        for place, (waiter, at) in enumerate(play.run(max(now, self._frozen_until)), 1):
            if isinstance(waiter, Waiter):
                yield waiter, Forecast(place, at - now)

    def _reserved(self, ask: Ask, beside: int) -> float:
        expected = self._outputs.most(ask.kind, ask.limit_tokens, beside=beside)
        return Size(ask.prompt_tokens, ask.limit_tokens, expected).amount(self.counting.counted)

    def _unused(self, ask: Ask, amount: float) -> float:
        if self.counting.counted != "use":
            return 0.0
        return (
            amount - ask.prompt_tokens - self._outputs.mean(ask.kind, ask.limit_tokens, channel=ask.channel)
        )

    @property
    def _places(self) -> float:
        return self.load.places_here if self._known else min(self.load.places_here, self._start.places)

    @property
    def _known(self) -> bool:
        return bool(self.tokens.per_minute or self.requests.per_minute or self.load.is_bounded)

    def _serve(self, waiter: Waiter, size: Size, amount: float) -> None:
        now = self._clock()
        self.waiting.serve(waiter, max(amount, 1))
        self.tokens.take(amount)
        self.requests.take(1)
        self.passed_tokens += amount
        self.passed_requests += 1
        sent = self.counting.note_sent(size, now)
        share = Share(self, waiter.ask, size, amount, sent, self.load.enter(), now)
        self._under_way.add(share)
        waiter.granted.set_result(share)

    def _has_room(self) -> bool:
        return self.load.has_room() and (self._known or len(self._under_way) < self._start.places)

    def _wait_s(self, tokens: float) -> float:
        now = self._clock()
        return max(self._frozen_until - now, self.requests.wait_s(1, now), self.tokens.wait_s(tokens, now))

    def _size(self, ask: Ask) -> Size:
        expected = self._outputs.most(ask.kind, ask.limit_tokens, beside=len(self._under_way))
        return Size(ask.prompt_tokens, ask.limit_tokens, expected)

    def _note_taken(self, share: Share) -> None:
        if not (share.taken or share.refused):
            share.taken = True
            self.guess.note_taken(share.amount, self._clock())

    def _ask_for_more(self) -> None:
        now = self._clock()
        if not self._told and now >= self._frozen_until and self.guess.step_up(now):
            self.tokens.heed(ReportedRate(self.guess.per_minute), now)

    def _note_short(self) -> None:
        if not self.is_short:
            self.is_short = True
            if self.tokens.part < 1:
                self._hurry()

    def _wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(seconds, CLOCK_STEP_S), self.pump)

    def _tell_waiting(self) -> None:
        """Tells those who have to wait for long where they stand, each of them every few seconds."""
        self._teller = None
        if not self.waiting:
            return
        now = self._clock()
        due = {waiter for waiter in self.waiting if waiter.wants_telling(now)}
        for waiter, forecast in self.forecast() if due else ():
            if waiter in due and waiter.tell and now - waiter.since + forecast.wait_s > TOLD_AFTER_S:
                waiter.told_at = now
                waiter.tell(forecast)
        self._teller = asyncio.get_running_loop().call_later(CHECK_S, self._tell_waiting)
