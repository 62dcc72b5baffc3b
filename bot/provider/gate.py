"""Takes one request to the model API from the budget to the ledger, and says when to repeat it.

Every request of any kind passes through `Gate.request`: budget (a ledger row), fair share, the request, and
whatever happens the row is settled. What is asked, and how an answer is read, is not known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from bot.core.errors import (
    BotError,
    BudgetExceeded,
    Busy,
    Credentials,
    ModelMissing,
    Overloaded,
    ProviderError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unavailable,
    Unreachable,
)
from bot.core.values import Scope, Usage
from bot.costs.ledger import Ledger, LedgerEntry, Outcome
from bot.ops.metrics import METRICS
from bot.provider.arrivals import Ask
from bot.provider.circuit_breaker import CircuitBreaker
from bot.provider.error_table import (
    ParameterRefused,
    is_end_unknown,
    read_headers,
    refused_parameter,
    to_provider_error,
)
from bot.provider.failure_text import describe_failure
from bot.provider.fair_share import Scheduler, is_background
from bot.provider.model_line import Share, Ticket
from bot.provider.model_server import ModelServer
from bot.provider.patience import find_patience
from bot.provider.pictures import find_refused_pictures
from bot.provider.strict_roles import find_refused_roles

T = TypeVar("T")

log = logging.getLogger(__name__)

RETRIES = 2
RATE_RETRIES = 8  # a request that has to wait has not failed: all of them wait together in the scheduler
RETRY_WITHIN_S = 60.0
BACKOFF_S = 0.5
SETTLE_AGAIN_S, LONGEST_SETTLE_AGAIN_S = 0.2, 30.0  # between tries to write down how a request ended
FREEZE_LIMIT_S = 60.0  # longer pauses are left to the inbox
FINAL_FOR_ALL = (Credentials, QuotaSpent)  # nothing will do better until an operator has acted
NEVER_OPTIONAL = (Unreachable, RateLimited)  # these say something of the whole API, whatever was asked
# Without these a request asks for something else, so they are never dropped.
NEEDED = frozenset(["model", "prompt", "messages", "input", "questions"])
BYTES_PER_TOKEN = 4  # a guess for fair shares; what was really used is settled afterwards


@dataclass(slots=True)
class ProviderRequest:
    """One request under way, and how it goes."""

    model: str  # the one to ask: a nearly used up budget may have chosen the smaller one
    count: Callable[[], Awaitable[Usage]]  # our own count, when the provider does not say what it used
    outcome: Outcome = "failed"
    path: str = ""  # of the endpoint, once it was asked
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    optional: bool = False  # there is another way to what it asks for
    sent: bool = False
    answering: bool = False  # something of the answer has arrived
    usage: Usage | None = None
    tier: str = ""
    billed_usd: Decimal | None = None  # what a gateway says
    cost_usd: Decimal | None = None
    share: Share | None = None  # of what the server takes, once it is this one's turn

    def note_headers(self, headers: Mapping[str, str]) -> None:
        """Those of the response."""
        if self.share:
            self.share.note_headers(headers)

    def note_first_token(self, seconds: float) -> None:
        """The answer begins, so long after it was asked for."""
        if self.share:
            self.share.note_first_token(seconds)

    async def send(self, path: str, body: Mapping[str, Any], response: Awaitable[T]) -> T:
        """The response; ParameterRefused when the model does not take a part of the body that it can be asked
        without."""
        self.path, self.body, self.sent = path, body, True
        try:
            return await response
        except Exception as exc:
            if name := _find_refused(exc, body):
                raise ParameterRefused(self.model, name) from exc
            raise


class Gate:
    """What all requests of one process share: budget, fair shares, breaker."""

    def __init__(
        self,
        ledger: Ledger,
        scheduler: Scheduler,
        server: ModelServer,
        *,
        small_model: Callable[[], str] = str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.breaker = CircuitBreaker()
        self.sleep = sleep
        self._scheduler = scheduler
        self._server = server
        self._ledger = ledger
        self._small_model = small_model
        self._refusals: set[tuple[str, str]] = set()  # that the log has already
        self._settling: set[asyncio.Task[None]] = set()
        self._unsettled: set[asyncio.Task[None]] = set()  # whose rows the database did not take yet

    def check(self) -> None:
        """Raises while the API is left alone after failures; the error says what opened the breaker."""
        wait_s = self.breaker.wait_s()
        if wait_s is None:
            return
        why = self.breaker.why
        if isinstance(why, FINAL_FOR_ALL):
            raise type(why)("breaker open")
        kind = Unreachable if isinstance(why, Unreachable) else Overloaded
        restarting = isinstance(why, Unavailable) and why.restarting
        raise kind("breaker open", retry_after_s=wait_s, restarting=restarting)

    @asynccontextmanager
    async def request(
        self,
        scope: Scope,
        model: str,
        *,
        bound: Usage,
        number: int,
        ticket: Ticket,
        count: Callable[[], Awaitable[Usage]],
        fixed: bool = False,
    ) -> AsyncIterator[ProviderRequest]:
        """Around one request. Raises BudgetExceeded before it; outside errors come out as ours.

        `ticket`: its place in line, the same for each number. `fixed`: no smaller model takes the place of
        this one.
        """
        entry = await self._open(scope, model, bound, number, fixed=fixed)
        request = ProviderRequest(entry.model, count)
        try:
            request.share = await self._wait_in_line(scope, entry.model, bound, ticket)
            yield request
            self._note_success()
        except ParameterRefused:
            self._note_success()
            raise
        except Exception as exc:
            error = to_provider_error(exc)
            request.outcome = (
                "broken" if request.answering else "unknown" if is_end_unknown(exc) else "failed"
            )
            self._note_error(error, request, exc)
            raise error from exc
        except BaseException:  # cancelled, or nobody wants the rest
            request.outcome = "stopped"
            self.breaker.note_unknown()
            raise
        finally:
            if request.share:
                request.share.leave()
            await self._shield(self._settle(entry, request))

    async def aclose(self) -> None:
        """Returns when each request's end was written down, or could not be."""
        while self._settling:
            await asyncio.gather(*self._settling)
        for task in self._unsettled:
            task.cancel()

    async def _open(self, scope: Scope, model: str, bound: Usage, number: int, *, fixed: bool) -> LedgerEntry:
        smaller = self._small_model() if scope.kind == "answer" and not fixed else ""
        try:
            return await self._ledger.open(
                scope, model, upper_bound=bound, attempt=number, smaller_model=smaller
            )
        except BaseException as exc:
            self.breaker.note_unknown()
            if isinstance(exc, BudgetExceeded):
                METRICS.count("parley_cap_refusals_total")
            raise

    async def _wait_in_line(self, scope: Scope, model: str, bound: Usage, ticket: Ticket) -> Share:
        """Whoever waits for an answer is told where the request stands."""
        ask = Ask(
            scope.channel,
            scope.user,
            scope.kind,
            prompt_tokens=bound.input_tokens / BYTES_PER_TOKEN,
            limit_tokens=bound.output_tokens,
            background=is_background(),
        )
        patience = find_patience()
        tell = patience.show_forecast if patience else None
        return await self._scheduler.acquire(self._server, model, ask, ticket, tell=tell)

    def _note_success(self) -> None:
        self.breaker.note_success()
        if patience := find_patience():
            patience.end()

    def _note_error(self, error: ProviderError, request: ProviderRequest, exc: Exception) -> None:
        """Tells the breaker, the scheduler and the log what an error says about the API itself."""
        failure = describe_failure(exc, request.path, request.body)
        if isinstance(error, FINAL_FOR_ALL):  # such messages are about keys and accounts
            failure = failure.partition(": ")[0]
        self._log_failure(error, request, failure)
        if request.optional and not isinstance(error, NEVER_OPTIONAL):
            self.breaker.note_unknown()
        elif isinstance(error, RateLimited):
            self.breaker.note_unknown()
            if request.share:
                wait_s = error.retry_after_s
                pause_s = None if wait_s is None else min(wait_s, FREEZE_LIMIT_S)
                request.share.refuse(read_headers(exc), pause_s)
        elif isinstance(error, (Unavailable, *FINAL_FOR_ALL)):
            at_once, restarting = isinstance(error, FINAL_FOR_ALL), getattr(error, "restarting", False)
            if self.breaker.note_failure(error, at_once=at_once, restarting=restarting):
                log.error(
                    "the model API is left alone for now: %s (%s): %s", type(error).__name__, error, failure
                )
        else:
            self.breaker.note_success()

    def _log_failure(self, error: ProviderError, request: ProviderRequest, failure: str) -> None:
        """What the people who run us need to see. A request that is never taken is an error, said once."""
        known = (request.model, str(error))
        lasting = type(error) in (Refused, ModelMissing) and not request.optional
        if lasting and known not in self._refusals:
            self._refusals.add(known)
            log.error("the model API takes no such request for %s (%s): %s", request.model, error, failure)
        elif isinstance(error, Refused | RateLimited):
            log.info("the model API, asked for %s: %s", request.model, failure)
        else:
            log.warning("the model API did not answer for %s: %s", request.model, failure)

    async def _shield(self, settling: Coroutine[Any, Any, None]) -> None:
        """Settles even when whoever waits is cancelled meanwhile."""
        task = asyncio.create_task(settling)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        await asyncio.shield(task)

    async def _settle(self, entry: LedgerEntry, request: ProviderRequest) -> None:
        if request.usage is None and (
            request.answering or (request.sent and request.outcome in ("ok", "stopped"))
        ):
            request.usage = await request.count()
        usage = request.usage
        if request.share and usage:
            request.share.settle(usage.input_tokens + usage.output_tokens, usage.output_tokens)
        elif request.share and not request.sent:
            request.share.settle(0)
        try:
            await self._close(entry, request)
        except Busy as exc:  # nobody waits for that: the answer is there
            log.warning("could not settle ledger row %s, tried again: %s", entry.id, exc)
            task = asyncio.create_task(self._close_later(entry, request))
            self._unsettled.add(task)
            task.add_done_callback(self._unsettled.discard)
        except BotError:  # the row stays open and is charged as reserved at the next start
            log.exception("could not settle ledger row %s", entry.id)
        _count_metrics(entry, request, usage)

    async def _close(self, entry: LedgerEntry, request: ProviderRequest) -> None:
        request.cost_usd = await self._ledger.settle(
            entry, request.usage, outcome=request.outcome, tier=request.tier, billed=request.billed_usd
        )

    async def _close_later(self, entry: LedgerEntry, request: ProviderRequest) -> None:
        """Waits out a busy or full database, so that what was reserved is not held until the next start."""
        wait_s = SETTLE_AGAIN_S
        while True:
            await self.sleep(wait_s)
            try:
                return await self._close(entry, request)
            except Busy:
                wait_s = min(wait_s * 2, LONGEST_SETTLE_AGAIN_S)


class RetryPolicy:
    """How often one request is made: at most two more times within a minute, and only when that may help.

    The time in line is not counted."""

    def __init__(self, gate: Gate, chance: Callable[[], float], *, patient: bool = True) -> None:
        """`patient`: a server that restarts is waited for, if whoever asks has the patience."""
        self._gate = gate
        self._chance = chance
        self._patient = patient
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + RETRY_WITHIN_S
        self.ticket = Ticket()
        self._failures = 0
        self._number = 0

    def next_number(self) -> int:
        """The number of the next request, from 1. Raises while the API is left alone."""
        self._gate.check()
        self._number += 1
        return self._number

    async def wait_after(self, error: BotError) -> None:
        """Returns when it is time for another request; raises the error when there shall be none."""
        patience = find_patience() if self._patient else None
        if patience and isinstance(error, Unavailable) and await patience.wait(error, self._gate.sleep):
            return
        most = RATE_RETRIES if isinstance(error, RateLimited) else RETRIES
        if not isinstance(error, Unavailable) or self._failures >= most:
            raise error
        delay_s = error.retry_after_s
        if delay_s is None:
            delay_s = BACKOFF_S * 2**self._failures * (1 - self._chance() / 4)
        if self._loop.time() + delay_s > self._until + self.ticket.waited_s:
            raise error
        self._failures += 1
        if not isinstance(error, RateLimited):  # those wait in the scheduler, all of them together
            await self._gate.sleep(delay_s)


def _find_refused(exc: Exception, body: Mapping[str, Any]) -> str:
    """What of a body its model can be asked without, where it refused that."""
    if pictures := find_refused_pictures(exc, body):
        return pictures
    return refused_parameter(exc, body.keys() - NEEDED) or find_refused_roles(exc, body)


def _count_metrics(entry: LedgerEntry, request: ProviderRequest, usage: Usage | None) -> None:
    METRICS.count("parley_provider_attempts_total", kind=entry.scope.kind, outcome=request.outcome)
    if request.cost_usd:
        METRICS.count("parley_cost_usd_total", float(request.cost_usd), model=entry.model)
    for direction, amount in _amounts(usage or Usage()):
        METRICS.count("parley_tokens_total", amount, model=entry.model, direction=direction)


def _amounts(usage: Usage) -> list[tuple[str, int]]:
    amounts = {"input": usage.input_tokens, "cached": usage.cached_tokens, "output": usage.output_tokens}
    return [(direction, amount) for direction, amount in amounts.items() if amount]
