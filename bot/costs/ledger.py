"""The ledger: every model request is a row before it is made, and is settled once when it ends.

`open` reserves an upper bound against the budgets that cover the request; `settle` turns it into what the
provider reported, at the price of the moment the request was made. Prices are bot/costs/pricing.py's, budgets
are set in bot/costs/budgets.py, reports read the sums in bot/reports/usage.py.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from bot.core.calendar import Calendar, next_first_day
from bot.core.errors import BudgetExceeded, BudgetHeld, BudgetTooSmall, Busy
from bot.core.values import RequestKind, Scope, Usage
from bot.costs.amounts import dollars
from bot.costs.billed import Billing, bills_for_others, is_believed
from bot.costs.budgets import name_budget
from bot.costs.pricing import Price, Prices, nano, usd
from storage.costs import budgets
from storage.costs import ledger as rows
from storage.engine import Engine

log = logging.getLogger(__name__)

# How a request ended.
#   ok       answered whole
#   stopped  a person stopped it
#   broken   the answer ended early
#   failed   no answer, and nothing to pay
#   unknown  nobody saw the end; charged as reserved
Outcome = Literal["ok", "stopped", "broken", "failed", "unknown"]

RELEARNT = 200  # requests whose billed amounts are looked at again at the start
NOTHING = Usage(requests=0)
# No request uses more of anything; what claims to is a fault of the provider's report.
IMPLAUSIBLE = 100_000_000


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An open row. `model` is the one to ask, which a nearly used up budget may have made the smaller one."""

    id: int
    scope: Scope
    model: str
    upper_bound: Usage
    reserved_usd: Decimal | None  # None: unpriced, so no budget holds it
    opened_at: float  # unix seconds
    began: float  # monotonic seconds


SLOT_BITS = 8  # 256 processes


@dataclass(slots=True)
class _Ids:
    """Ids that grow, from milliseconds: the lowest bits are the process's slot, so no two count alike."""

    last: int
    slot: int

    def give(self) -> int:
        self.raise_above(self.last)
        return self.last

    def raise_above(self, taken: int) -> None:
        self.last = max(((taken >> SLOT_BITS) + 1 << SLOT_BITS) | self.slot, self.last)


class Ledger:
    """Opens and settles the rows of one process. `start` once before the first request.

    `look` does the same for other processes on the database, as long as this one runs.
    """

    def __init__(self, engine: Engine, prices: Prices, calendar: Calendar) -> None:
        self._engine = engine
        self._prices = prices
        self.calendar = calendar
        self._billing = Billing() if bills_for_others(prices) else None
        self._doubtful: list[int] = []  # rows that may have been written when their connection was lost
        self._disbelieved: set[str] = set()  # models whose reported amounts the log has as wrong already
        self._ids = _Ids((int(calendar.now() * 1000) << 20) + secrets.randbits(19), engine.slot)

    def at_prices(self, prices: Prices) -> Ledger:
        """The same book for requests to another server, which has prices of its own."""
        other = Ledger(self._engine, prices, self.calendar)
        other._ids, other._doubtful = self._ids, self._doubtful
        return other

    async def start(self) -> int:
        """Ends what an earlier process left open, charged as reserved; how many rows that were."""
        if newest := await self._engine.read(rows.last):
            self.calendar.seen(newest["opened_at"])
            self._ids.raise_above(newest["id"])
        if self._billing:
            for row in await self._engine.read(rows.last_reported, RELEARNT):
                self._relearn(self._billing, row)
        # The price tables load now, not while the first person waits.
        self._price("", NOTHING, "answer", self.calendar.now())
        return await self._give_up_orphans()

    async def look(self, asked: bool) -> None:
        """Ends what processes left open that have died since, and what was written, perhaps, in vain."""
        while self._doubtful:
            await self._settle_unmade(self._doubtful[-1])
            self._doubtful.pop()
        if unknown := await self._give_up_orphans():
            log.warning("%d model requests of a process that died count as made", unknown)

    async def open(
        self, scope: Scope, model: str, *, upper_bound: Usage, attempt: int, smaller_model: str = ""
    ) -> LedgerEntry:
        """Writes the row and reserves the price of `upper_bound`; BudgetExceeded when a budget has no room.

        `smaller_model` answers in place of `model` where a budget's owner wants that and 80 % are used, and
        it costs less.
        """
        at = self.calendar.now()
        row = self._row(scope, attempt, at)
        models = (model, smaller_model) if smaller_model not in ("", model) else (model,)
        offers = _drop_dearer([self._offer(name, upper_bound, scope.kind, at) for name in models])
        try:
            taken = await self._engine.write(rows.open_row, row, offers, self.calendar.firsts(at))
        except budgets.Full as exc:
            raise self._budget_exceeded(exc.budget, exc.amount) from exc
        except asyncio.CancelledError:
            # The row may be written all the same; the request will not be made.
            await self._settle_unmade(row["id"])
            raise
        except Busy:
            self._doubtful.append(row["id"])
            raise
        reserved = None if taken["reserved"] is None else usd(taken["reserved"])
        return LedgerEntry(row["id"], scope, taken["model"], upper_bound, reserved, at, time.monotonic())

    async def settle(
        self,
        entry: LedgerEntry,
        usage: Usage | None,
        *,
        outcome: Outcome,
        tier: str = "",
        billed: Decimal | None = None,
    ) -> Decimal | None:
        """The end of a request; returns its cost in dollars, None when unpriced. Only the first end counts.

        Without usage nothing was used or, if the outcome is unknown, all that was reserved. Usage that cannot
        be true counts as the upper bound. `tier` is the service tier the provider reports, or batch; `billed`
        is what a gateway says it cost, which counts where it may be true.
        """
        listed: Decimal | None = None
        reported = False
        if usage is None and outcome == "unknown":
            used, price = replace(NOTHING, estimated=True), self._reserved_price(entry)
        else:
            used = bound_implausible(usage or NOTHING, entry.upper_bound)
            price = self._price(entry.model, used, entry.scope.kind, entry.opened_at, tier=tier)
            if billed is not None and self._believes(entry.model, billed, price.usd, used):
                listed, price, reported = price.usd, Price(usd(nano(billed))), True
        latency_ms = round((time.monotonic() - entry.began) * 1000)
        await self._settle(
            entry.id,
            used,
            price,
            outcome=outcome,
            tier=tier,
            latency_ms=latency_ms,
            reported=reported,
            listed=listed,
        )
        return price.usd

    async def _give_up_orphans(self) -> int:
        """Row by row: each holds up the budgets that it is about."""
        left, now = await self._engine.read(rows.list_orphans), self.calendar.now()
        return sum([await self._engine.write(rows.give_up, row, now) for row in left])

    async def _settle_unmade(self, id: int) -> None:
        """The end of a request that was not made, whether its row is there or not."""
        await self._settle(id, NOTHING, Price(Decimal(0)), outcome="stopped")

    def _believes(self, model: str, billed: Decimal, listed: Decimal | None, used: Usage) -> bool:
        """Whether a reported amount counts; if so, the next request's bound is made by it."""
        if self._billing is None:
            return False
        if is_believed(billed, listed, used):
            self._billing.learn(model, billed, listed, used)
            return True
        if billed and model not in self._disbelieved:
            self._disbelieved.add(model)
            log.warning(
                "%s: not believed that a request was billed $%s; our price: %s", model, billed, listed
            )
        return False

    @staticmethod
    def _relearn(billing: Billing, row: dict[str, Any]) -> None:
        listed = None if row["listed"] is None else usd(row["listed"])
        used = Usage(
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            audio_seconds=row["audio_seconds"],
            images=row["images"],
        )
        billing.learn(row["model"], usd(row["cost"]), listed, used)

    def _row(self, scope: Scope, attempt: int, at: float) -> dict[str, Any]:
        return {
            "id": self._ids.give(),
            "worker": self._engine.worker,
            "team": scope.team,
            "channel": scope.channel,
            "person": scope.user,
            "conversation": scope.conversation,
            "kind": scope.kind,
            "attempt": attempt,
            "day": self.calendar.day(at).isoformat(),
            "opened_at": at,
        }

    def _offer(self, model: str, bound: Usage, kind: RequestKind, at: float) -> dict[str, Any]:
        """What a model costs at most: all input may be written to the cache, which can cost more."""
        written = replace(bound, cache_write_tokens=bound.input_tokens - bound.input_audio_tokens)
        prices = [self._price(model, usage, kind, at) for usage in (bound, written)]
        listed = max((price.usd for price in prices if price.usd is not None), default=None)
        most = self._billing.bound(model, listed, bound) if self._billing else listed
        return {"model": model, "reserved": None if most is None else nano(most), "reason": prices[0].reason}

    def _price(self, model: str, usage: Usage, kind: RequestKind, at: float, *, tier: str = "") -> Price:
        return self._prices.price(model, usage, at=datetime.fromtimestamp(at, UTC), kind=kind, tier=tier)

    def _reserved_price(self, entry: LedgerEntry) -> Price:
        if entry.reserved_usd is None:
            return self._price(entry.model, entry.upper_bound, entry.scope.kind, entry.opened_at)
        return Price(entry.reserved_usd)

    async def _settle(
        self,
        id: int,
        used: Usage,
        price: Price,
        *,
        outcome: Outcome,
        tier: str = "",
        latency_ms: int | None = None,
        reported: bool = False,
        listed: Decimal | None = None,
    ) -> None:
        counts = asdict(used) | {"estimated": int(used.estimated)}
        del counts["requests"]
        await self._engine.write(
            rows.settle_row,
            id,
            outcome=outcome,
            cost=None if price.usd is None else nano(price.usd),
            reason=price.reason,
            tier=tier,
            latency_ms=latency_ms,
            settled_at=self.calendar.now(),
            reported=int(reported),
            listed=None if listed is None else nano(listed),
            **counts,
        )

    def _budget_exceeded(self, budget: dict[str, Any], amount: int) -> BudgetExceeded:
        """Which budget it is, and whether it is used up, held by others, or too small for this."""
        first = next_first_day(date.fromisoformat(budget["first"]), budget["period"])
        what = name_budget(budget)
        resets = f"on {first:%A}, {first.day} {first:%B} ({self.calendar.zone.key})"
        unspent = budget["cap_now"] - budget["spent"]
        if unspent <= 0:
            return BudgetExceeded(what, resets)
        if amount <= unspent:
            return BudgetHeld(what, resets)
        return BudgetTooSmall(what, resets, most=dollars(usd(amount)), left=dollars(usd(unspent)))


def _drop_dearer(offers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without a second model that is known to cost as much as the first: a channel may have chosen a small
    one for itself."""
    first, *others = offers
    if first["reserved"] is None:
        return offers
    return [first, *(one for one in others if one["reserved"] is None or one["reserved"] < first["reserved"])]


def bound_implausible(usage: Usage, bound: Usage) -> Usage:
    """The usage as reported, or the upper bound, marked estimated, where the report cannot be true."""
    counts = (
        usage.input_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
        usage.input_audio_tokens,
        usage.audio_seconds,
        usage.images,
    )
    parts = usage.cached_tokens + usage.cache_write_tokens
    if all(0 <= count <= IMPLAUSIBLE for count in counts) and parts <= usage.input_tokens:
        return usage
    return replace(bound, estimated=True)
