"""What was learned about models: what they refuse, how long their tokens are, how much they read. Read at
start.

A refused parameter that begins with a slash is an endpoint, one that begins with "form" a place where forms
are not heeded, "pictures" what a model cannot see. Servers change, so those are forgotten after a while.
"""

from __future__ import annotations

from storage.engine import Tx
from storage.workers import changes


def refuse(tx: Tx, model: str, parameter: str, *, now: float) -> None:
    """The model does not take this parameter."""
    tx.run(
        "insert into learned_refusals (model, parameter, at) values (:model, :parameter, :now)"
        " on conflict (model, parameter) do update set at = excluded.at",
        model=model,
        parameter=parameter,
        now=now,
    )
    changes.note(tx, changes.TRAITS)


def refused(tx: Tx, *, since: float = 0.0) -> dict[str, frozenset[str]]:
    """What each model refuses: parameters for ever, endpoints and forms if that was learned `since` then."""
    found: dict[str, set[str]] = {}
    rows = tx.all(
        "select model, parameter from learned_refusals"
        " where at >= :since"
        " or (parameter not like '/%' and parameter not like 'form %' and parameter <> 'pictures')",
        since=since,
    )
    for row in rows:
        found.setdefault(row["model"], set()).add(row["parameter"])
    return {model: frozenset(parameters) for model, parameters in found.items()}


def set_limit(tx: Tx, model: str, limit: int, *, now: float) -> None:
    """How many tokens a model reads in all."""
    tx.run(
        "insert into learned_limits (model, tokens, at) values (:model, :tokens, :now)"
        " on conflict (model) do update set tokens = excluded.tokens, at = excluded.at",
        model=model,
        tokens=limit,
        now=now,
    )
    changes.note(tx, changes.TRAITS)


def limits(tx: Tx, *, since: float) -> dict[str, int]:
    """The limit of each model of which one was learned since then."""
    rows = tx.all("select model, tokens from learned_limits where at >= :since", since=since)
    return {row["model"]: row["tokens"] for row in rows}


def set_ratio(tx: Tx, model: str, ratio: float, *, now: float) -> None:
    """Real tokens per estimated token of a model whose vocabulary is unknown."""
    tx.run(
        "insert into learned_ratios (model, ratio, at) values (:model, :ratio, :now)"
        " on conflict (model) do update set ratio = excluded.ratio, at = excluded.at",
        model=model,
        ratio=float(ratio),
        now=now,
    )


def ratios(tx: Tx) -> dict[str, float]:
    """The ratio of each model that has one."""
    return {row["model"]: row["ratio"] for row in tx.all("select model, ratio from learned_ratios")}
