"""The ledger: one row per model request, written before it is made; and its sums, kept as it settles.

Reports read sums, never rows: `usage_days` has every combination, `usage_months` a month per channel and one
of DIMS, so few that a month of ten million requests reads like one of ten thousand. Costs are nano-dollars or
null; a row whose end nobody saw is charged as reserved, and estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from storage.costs import budgets
from storage.engine import Tx

KEY = ("team", "day", "channel", "person", "model", "kind")
COUNTED = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "audio_seconds",
    "images",
    "estimated",
)
SUMS = ("requests", *COUNTED, "cost", "unpriced", "wasted")
# What a month's sums are kept by, beside the channel.
DIMS = ("day", "person", "model", "kind")


def _adding(table: str, key: tuple[str, ...], *lines: tuple[str, ...]) -> str:
    """The statement that adds SUMS to the rows of a table that the lines of expressions name."""
    values = ", ".join(f"({', '.join((*line, *(f':{name}' for name in SUMS)))})" for line in lines)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    return f"""insert into {table} ({", ".join((*key, *SUMS))}) values {values}
        on conflict ({", ".join(key)}) do update set {added}"""


_MONTH_KEY = ("team", "month", "dim", "channel", "value")
ADD_DAY = _adding("usage_days", KEY, tuple(f":{name}" for name in KEY))
_ADD_MONTH = _adding(
    "usage_months",
    _MONTH_KEY,
    *((":team", ":month", f"'{dim}'", ":channel", f":{dim}") for dim in DIMS),
)
ADD_LINE = _adding("usage_months", _MONTH_KEY, tuple(f":{name}" for name in _MONTH_KEY))
_TYPE = {"audio_seconds": "real"}
# What was paid for and reached nobody.
WASTED = ("failed", "unknown")


def open_row(
    tx: Tx, row: dict[str, Any], offers: Sequence[dict[str, Any]], firsts: dict[str, str]
) -> dict[str, Any]:
    """Writes the row of a request, holds its bound in every budget that covers it; returns the offer taken.

    `offers` are one or two of model, reserved, reason: the second, smaller one is taken where a budget that
    asks for it is nearly used up. Raises budgets.Full when a budget has no room; nothing has happened then.
    """
    request = {name: row[name] for name in ("team", "channel", "person", "kind")}
    for offer in offers:
        covering = budgets.covering(tx, row["opened_at"], firsts, model=offer["model"], **request)
        amount = offer["reserved"] or 0
        if not any(_strained(budget, amount) for budget in covering):
            break
    _insert(tx, row, offer)
    for budget in covering:
        budgets.hold(tx, row["id"], budget, amount)
    return offer


# The share of a budget from which the smaller model answers.
DEGRADE_PERCENT = 80


def _strained(budget: dict[str, Any], amount: int) -> bool:
    """Should the smaller model answer? Only where the owner of the budget wants it."""
    used = budget["spent"] + budget["reserved"] + amount
    return bool(budget["degrade"]) and used * 100 >= budget["cap_now"] * DEGRADE_PERCENT


def _insert(tx: Tx, row: dict[str, Any], offer: dict[str, Any]) -> None:
    tx.run(
        """insert into ledger (id, team, channel, person, conversation, kind, model, attempt, day, opened_at,
        reserved, reason, worker) values (:id, :team, :channel, :person, :conversation, :kind, :model,
        :attempt, :day, :opened_at, :reserved, :reason, :worker)""",
        **row,
        **offer,
    )


def settle_row(tx: Tx, /, id: int, **end: Any) -> bool:
    """The end of a request: outcome, cost, reason, tier, latency_ms, settled_at, and COUNTED as reported.
    `reported` 1: a gateway said what it cost, and by our prices it would cost `listed`.

    False, and nothing changes, when it has ended before: a request is counted once.
    """
    row = tx.one(
        """update ledger set outcome = :outcome, cost = :cost, reason = :reason, tier = :tier,
        latency_ms = :latency_ms, settled_at = :settled_at, input_tokens = :input_tokens,
        cached_tokens = :cached_tokens, cache_write_tokens = :cache_write_tokens,
        output_tokens = :output_tokens, input_audio_tokens = :input_audio_tokens,
        audio_seconds = :audio_seconds, images = :images, estimated = :estimated,
        reported = :reported, listed = :listed
        where id = :id and outcome = 'open' returning team, day, channel, person, model, kind""",
        id=id,
        **{"reported": 0, "listed": None} | end,
    )
    if row is None:
        return False
    cost = end["cost"] or 0
    counts = {name: end[name] for name in COUNTED}
    wasted = cost if end["outcome"] in WASTED else 0
    sums = {**counts, "requests": 1, "cost": cost, "unpriced": int(end["cost"] is None), "wasted": wasted}
    tx.run(ADD_DAY, **row, **sums)
    tx.run(_ADD_MONTH, **row, **sums, month=row["day"][:7])
    budgets.note_price(tx, id, row["model"], row["day"], priced=_is_priced(end))
    budgets.settle(tx, id, cost)
    return True


def _is_priced(end: dict[str, Any]) -> bool | None:
    """Whether the end of a request shows that its model has a price; None where nothing was used."""
    if end["cost"] is None:
        return None if end["outcome"] == "failed" else False
    return True if end["cost"] or end["input_tokens"] else None


# Of a process that is not on the list of the living. A process that has a file for itself is never on it.
ORPHANED = "outcome = 'open' and worker not in (select id from workers)"


def list_orphans(tx: Tx) -> list[dict[str, Any]]:
    """The rows that dead processes left open, the oldest first."""
    return tx.all(f"select id, reserved, reason from ledger where {ORPHANED} order by id")


def give_up(tx: Tx, row: dict[str, Any], now: float) -> bool:
    """Ends a row that a dead process left open, charged as reserved: nobody knows what became of it."""
    unseen = dict.fromkeys((*COUNTED, "input_audio_tokens"), 0) | {"estimated": 1}
    end = {"outcome": "unknown", "cost": row["reserved"], "reason": row["reason"], "settled_at": now}
    return settle_row(tx, row["id"], tier="", latency_ms=None, **end, **unseen)


def teams(tx: Tx) -> list[str]:
    """Every team that has used anything."""
    return [row["team"] for row in tx.all("select distinct team from usage_days order by team")]


def last(tx: Tx) -> dict[str, Any] | None:
    """The id and opened_at of the newest row."""
    return tx.one("select id, opened_at from ledger order by id desc limit 1")


def by_model(tx: Tx, begins: float, ends: float) -> list[dict[str, Any]]:
    """Sums of the ended rows opened from `begins` until before `ends` (unix seconds), per model and kind."""
    return tx.all(
        """select model, kind, count(*) as requests, cast(sum(estimated) as bigint) as estimated,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        sum(audio_seconds) as audio_seconds, cast(sum(images) as bigint) as images,
        cast(sum(case when outcome = 'failed' then 1 else 0 end) as bigint) as failed
        from ledger where opened_at >= :begins and opened_at < :ends and outcome <> 'open'
        group by model, kind order by model, kind""",
        begins=begins,
        ends=ends,
    )


def reported(tx: Tx, begins: float, ends: float) -> list[dict[str, Any]]:
    """What gateways reported from `begins` until before `ends` (unix seconds), per model, beside what our
    prices make of the same requests (`unlisted`: of how many they make nothing)."""
    return tx.all(
        """select model, count(*) as requests, cast(sum(cost) as bigint) as billed,
        cast(sum(case when listed is null then 0 else cost end) as bigint) as billed_listed,
        cast(coalesce(sum(listed), 0) as bigint) as listed,
        cast(sum(case when listed is null then 1 else 0 end) as bigint) as unlisted
        from ledger where reported = 1 and opened_at >= :begins and opened_at < :ends
        group by model order by model""",
        begins=begins,
        ends=ends,
    )


def last_reported(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """The newest rows of which a gateway said what they cost, oldest first."""
    return tx.all(
        """select model, cost, listed, input_tokens, output_tokens, audio_seconds, images from ledger
        where reported = 1 order by opened_at desc limit :limit""",
        limit=limit,
    )[::-1]


def places(tx: Tx) -> list[dict[str, Any]]:
    """Every team and channel that anything was asked for."""
    return tx.all("select distinct team, channel from usage_days order by team, channel")


class Named(NamedTuple):
    """Whom a report may name: one person everywhere, everybody in some channels. `others` are called that."""

    person: str
    channels: Sequence[str]
    others: str


def models(tx: Tx, team: str) -> list[str]:
    """Every model that a team has used."""
    found = "select distinct value from usage_months where team = :team and dim = 'model' order by value"
    return [row["value"] for row in tx.all(found, team=team)]


def used(
    tx: Tx,
    team: str,
    first: str,
    last: str,
    *,
    by: Sequence[str],
    where: dict[str, str] | None = None,
    named: Named | None = None,
) -> list[dict[str, Any]]:
    """Sums of SUMS from day `first` through `last` (ISO), per combination of `by` (of KEY), dearest first.

    With `named` whoever must not be named is added up here, where it is fast: a month has few channels and
    many people.
    """
    wanted = where or {}
    names = {*by, *wanted}
    assert names <= set(KEY)
    others = names - {"channel"}
    monthly = len(others) <= 1 and _is_month(first, last)
    dim = next(iter(others), "kind")
    source = "usage_months" if monthly else "usage_days"
    # In usage_months the one of DIMS that was asked for stands in the column `value`.
    column = {dim: "value"} if monthly else {}
    shown, hidden = _masked(column.get("person", "person"), named) if named else ("", {})
    told = column | ({"person": shown} if named else {})
    span = "month = :first and dim = :last" if monthly else "day between :first and :last"
    sums = [f"cast(sum({name}) as {_TYPE.get(name, 'bigint')}) as {name}" for name in SUMS]
    columns = ", ".join((*(f"{told.get(name, name)} as {name}" for name in by), *sums))
    narrowed = "".join(f" and {column.get(name, name)} = :{name}" for name in wanted)
    group = ", ".join(told.get(name, name) for name in by)
    return tx.all(
        f"""select {columns} from {source} where team = :team and {span}{narrowed}
        {f"group by {group} order by sum(cost) desc, {group}" if by else "having count(*) > 0"}""",
        team=team,
        first=first[:7] if monthly else first,
        last=dim if monthly else last,
        **wanted,
        **(hidden if "person" in by else {}),
    )


def _masked(column: str, named: Named) -> tuple[str, dict[str, str]]:
    """The person, or what the others are called, as SQL with its parameters."""
    channels = {f"own{n}": channel for n, channel in enumerate(named.channels)}
    owned = f" or channel in ({', '.join(f':{name}' for name in channels)})" if channels else ""
    case = f"case when {column} in ('', :self){owned} then {column} else :others end"
    return case, {"self": named.person, "others": named.others, **channels}


def _is_month(first: str, last: str) -> bool:
    """Is it a whole month, so that its sums can be read?"""
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    return begins.day == 1 and (ends + timedelta(days=1)) == (begins + timedelta(days=31)).replace(day=1)
