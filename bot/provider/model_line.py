"""The line of requests for one model at one server: who waits, what the server takes, who goes next.

A request waits for its turn (waiting_line.py), for room at the server (server_load.py), and for what the
server takes per minute (token_bucket.py). All of it is on one clock that is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.provider.counting import Counting, Sent, Size
from bot.provider.forecasts import Forecast, Overtaking, Pace
from bot.provider.model_server import ModelServer
from bot.provider.output_use import OutputUse
from bot.provider.rate_headers import REQUESTS, TOKENS, read_rate
from bot.provider.server_load import CautiousStart, ServerLoad
from bot.provider.token_bucket import TokenBucket
from bot.provider.waiting_line import BACKGROUND, PEOPLE, Path, WaitingLine

# What may go out at once after a pause. Azure counts requests in slices of 1 to 10 seconds.
TOKENS_BURST_S, REQUESTS_BURST_S, LEAST_REQUESTS = 10.0, 1.0, 3.0
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 8.0  # after a refusal that does not say how long
CLOCK_STEP_S = 0.001  # a shorter sleep may end before the clock has moved on
TOLD_AFTER_S, TOLD_EVERY_S, CHECK_S = 5.0, 5.0, 2.5


Tell = Callable[[Forecast | None], None]  # None: it is their turn, or they gave up


@dataclass(frozen=True, slots=True)
class Ask:
    """What wants to go out. `limit_tokens`: the longest answer it allows."""

    channel: str
    person: str
    kind: str
    prompt_tokens: float
    limit_tokens: float
    background: bool = False

    @property
    def path(self) -> Path:
        return (BACKGROUND if self.background else PEOPLE, self.channel, self.person)


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
    single: bool = False  # nothing else of theirs waited when it came

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
        self.line.refuse(pause_s)
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
    """`freed`: called when there is room at the server again, for all lines there."""

    def __init__(
        self,
        server: ModelServer,
        load: ServerLoad,
        *,
        clock: Callable[[], float],
        freed: Callable[[], None],
    ) -> None:
        self.load = load
        self._clock = clock
        self._freed = freed
        now = clock()
        self._tokens = TokenBucket(server.tokens_per_minute, burst_s=TOKENS_BURST_S, least=0, now=now)
        self._requests = TokenBucket(
            server.requests_per_minute, burst_s=REQUESTS_BURST_S, least=LEAST_REQUESTS, now=now
        )
        self._counting = Counting(server.counted)
        self._outputs = OutputUse()
        self._start = CautiousStart()
        self._line = WaitingLine[Waiter]()
        self._paces: dict[Path, Pace] = {}  # of those who wait
        self._overtaking = Overtaking()
        self._under_way = set[Share]()
        self._frozen_until = now
        self._refusals = 0  # in a row
        self._timer: asyncio.TimerHandle | None = None
        self._teller: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._line)

    @property
    def head(self) -> int:
        """The number of whose turn it is; 0 when nobody waits."""
        waiter = self._line.first()
        return waiter.number if waiter else 0

    def enter(self, waiter: Waiter) -> None:
        path = waiter.ask.path
        if not self._line.has(path):
            waiter.single, self._paces[path] = True, Pace(waiter.since)
        self._line.add(path, waiter)
        self.pump()
        if self._line and self._teller is None:
            self._teller = asyncio.get_running_loop().call_later(CHECK_S, self._tell_waiting)

    def give_up(self, waiter: Waiter) -> None:
        """Somebody waits no longer, and leaves no trace."""
        if waiter in self._line:
            self._remove(waiter)
            self.pump()
        elif waiter.granted.done() and not waiter.granted.cancelled():
            share = waiter.granted.result()
            self._requests.take(-1)
            share.settle(0)
            share.leave()

    def pump(self) -> None:
        """Lets through whoever may pass now."""
        while (waiter := self._line.first()) is not None and self._has_room():
            if waiter.granted.cancelled():  # and did not come to leave yet
                self._remove(waiter)
                continue
            size = self._size(waiter.ask)
            amount = size.amount(self._counting.counted)
            if (wait_s := self._wait_s(amount)) > 0:
                self._wake_in(wait_s)
                return
            self._serve(waiter, size, amount)

    def refuse(self, pause_s: float | None) -> None:
        now = self._clock()
        if now >= self._frozen_until:  # the first of those that were under way together
            self._refusals += 1
            self._start.note_refusal(len(self._under_way))
        if pause_s is None:
            pause_s = min(BACKOFF_S * 2 ** (self._refusals - 1), LONGEST_BACKOFF_S)
        self._frozen_until = max(self._frozen_until, now + pause_s)
        self._tokens.hold(pause_s, now)

    def heed(self, headers: Mapping[str, str], share: Share) -> None:
        """Believes what the server says of its limits in the response to a request."""
        now, tokens = self._clock(), read_rate(headers, TOKENS)
        self._requests.heed(read_rate(headers, REQUESTS), now)
        self._tokens.heed(tokens, now)
        if tokens.remaining is not None and self._tokens.per_minute and not share.refused:
            limit = tokens.limit or self._tokens.per_minute
            fills = not self._tokens.has_fixed_minutes
            self._counting.note_left(share.sent, tokens.remaining, limit=limit, fills=fills)
        self.pump()

    def settle(self, share: Share, used_tokens: float, output_tokens: int | None) -> None:
        counted, unused = self._counting.counted, share.amount - used_tokens
        if share.refused or not used_tokens:
            self._counting.note_not_sent(share.size)
        else:
            self._counting.note_used(share.size, used_tokens)
            self._refusals = 0
        if output_tokens is not None:
            self._outputs.note(share.ask.kind, output_tokens)
        if counted == "use" or not used_tokens or (counted == "sum" and unused < 0):
            self._tokens.take(-unused)
            self._line.refund(share.ask.path, unused)
        self.pump()

    def leave(self, share: Share) -> None:
        self._under_way.discard(share)
        if not share.refused:
            self._start.note_answer()
        self.load.leave(self._clock() - share.began)
        self._freed()

    def forecast(self) -> Iterator[tuple[Waiter, Forecast]]:
        """Where everybody stands who waits, the next one first."""
        now, ahead, own = self._clock(), -self._likely_back(), dict[Path, float]()
        for place, waiter in enumerate(self._line.in_order(self._likely), 1):
            amount = self._likely(waiter)
            wait_s = max(
                self._frozen_until - now,
                self._tokens.forecast_s(ahead, amount, now),
                self._requests.forecast_s(place - 1, 1, now),
                self.load.forecast_s(place - 1),
            )
            path = waiter.ask.path
            own[path] = own.get(path, 0.0) + amount
            if not waiter.single:
                wait_s *= self._overtaking.factor
            yield waiter, Forecast(place, self._paces[path].forecast_s(wait_s, own[path], now))
            ahead += amount

    def _serve(self, waiter: Waiter, size: Size, amount: float) -> None:
        now, path = self._clock(), waiter.ask.path
        quick = waiter.single and now - waiter.since < TOLD_AFTER_S
        self._overtaking.note_served(self._likely(waiter), single=quick)
        self._paces[path].note_served(self._likely(waiter), now)
        self._line.serve(waiter, max(amount, 1))
        self._note_gone(path)
        self._tokens.take(amount)
        self._requests.take(1)
        sent = self._counting.note_sent(size, now)
        share = Share(self, waiter.ask, size, amount, sent, self.load.enter(), now)
        self._under_way.add(share)
        waiter.granted.set_result(share)

    def _remove(self, waiter: Waiter) -> None:
        self._line.remove(waiter)
        self._note_gone(waiter.ask.path)

    def _note_gone(self, path: Path) -> None:
        if not self._line.has(path):
            del self._paces[path]

    def _has_room(self) -> bool:
        known = self._tokens.per_minute or self._requests.per_minute or self.load.is_bounded
        return self.load.has_room and (bool(known) or len(self._under_way) < self._start.places)

    def _wait_s(self, tokens: float) -> float:
        now = self._clock()
        return max(self._frozen_until - now, self._requests.wait_s(1, now), self._tokens.wait_s(tokens, now))

    def _size(self, ask: Ask) -> Size:
        expected = self._outputs.most(ask.kind, ask.limit_tokens, beside=len(self._under_way))
        return Size(ask.prompt_tokens, ask.limit_tokens, expected)

    def _likely(self, waiter: Waiter) -> float:
        """What the server is likely to count of a request in the end."""
        ask = waiter.ask
        mean = self._outputs.mean(ask.kind, ask.limit_tokens)
        return Size(ask.prompt_tokens, ask.limit_tokens, mean).amount(self._counting.counted)

    def _likely_back(self) -> float:
        """What of those under way is likely to be given back."""
        if self._counting.counted != "use":
            return 0.0
        limits = ((share, share.ask.kind, share.ask.limit_tokens) for share in self._under_way)
        return sum(
            share.amount - share.size.prompt - self._outputs.mean(kind, limit)
            for share, kind, limit in limits
        )

    def _wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(seconds, CLOCK_STEP_S), self.pump)

    def _tell_waiting(self) -> None:
        """Tells those who have to wait for long where they stand, each of them every few seconds."""
        self._teller = None
        if not self._line:
            return
        now = self._clock()
        due = {waiter for waiter in self._line if waiter.wants_telling(now)}
        for waiter, forecast in self.forecast() if due else ():
            if waiter in due and waiter.tell and now - waiter.since + forecast.wait_s > TOLD_AFTER_S:
                waiter.told_at = now
                waiter.tell(forecast)
        self._teller = asyncio.get_running_loop().call_later(CHECK_S, self._tell_waiting)
