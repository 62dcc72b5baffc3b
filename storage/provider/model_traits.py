"""What was learned about models: which parameters they refuse, how long their tokens are. Read at start."""

from __future__ import annotations

from storage.engine import Tx


def refuse(tx: Tx, model: str, parameter: str, *, now: float) -> None:
    """The model does not take this parameter."""
    tx.run(
        "insert into learned_refusals (model, parameter, at) values (:model, :parameter, :now)"
        " on conflict (model, parameter) do update set at = excluded.at",
        model=model,
        parameter=parameter,
        now=now,
    )


def refused(tx: Tx) -> dict[str, frozenset[str]]:
    """The parameters each model refuses."""
    found: dict[str, set[str]] = {}
    for row in tx.all("select model, parameter from learned_refusals"):
        found.setdefault(row["model"], set()).add(row["parameter"])
    return {model: frozenset(parameters) for model, parameters in found.items()}


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
