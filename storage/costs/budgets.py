"""Budgets: what may be spent, what is held for requests on their way, what was spent.

A request holds its upper bound in every budget that covers it, in the transaction that writes its ledger row;
when it ends, the hold becomes what it cost. Money is nano-dollars; a period is known by its first day.

Requests of a team are opened beside each other, and alone while its budgets are set. Use of several budgets
is changed in the order of their numbers, so that no two requests wait for each other.
"""

from __future__ import annotations

from typing import Any

from storage import audit
from storage.engine import Tx

# Which rows of the rollup a budget covers, by its scope.
COVERS = {
    "workspace": "",
    "channel": "and channel = :target",
    "person": "and person = :target",
    "model": "and model = :target",
    "kind": "and kind = :target",
}
# A budget for '*' is one for each; one that names its target stands in for it.
EACH = "*"
RAISED = "(select max(cap) from budget_overrides o where o.budget = b.id and o.until_at > :now)"


class Full(Exception):
    """A budget has no room for a request of this amount. The transaction must not go on."""

    def __init__(self, budget: dict[str, Any], amount: int) -> None:
        super().__init__(f"budget {budget['id']} has no room")
        self.budget = budget
        self.amount = amount


def _lock(tx: Tx, team: str, *, shared: bool = False) -> None:
    tx.lock(f"budgets of {team}", shared=shared)


def covering(tx: Tx, now: float, firsts: dict[str, str], **request: str) -> list[dict[str, Any]]:
    """The budgets of a request (team, channel, person, model, kind) that is about to be opened, each with its
    use and its cap now."""
    _lock(tx, request["team"], shared=True)
    found = _find_covering(tx, now, firsts, **request)
    if begun := [budget["first"] for budget in found if budget["new"]]:
        _await_ends(tx, request["team"], first=min(begun))
        for budget in found:
            budget |= use(tx, budget)
    return found


def _await_ends(tx: Tx, team: str, *, first: str) -> None:
    """Before the first use of a budget is summed up: requests that are just ending are in the ledger's sums
    afterwards, the others end when they are held."""
    tx.lock(f"first use of {team}")
    tx.run(
        "update ledger set outcome = outcome where outcome = 'open' and team = :team and day >= :first",
        team=team,
        first=first,
    )


def _find_covering(tx: Tx, now: float, firsts: dict[str, str], **request: str) -> list[dict[str, Any]]:
    found = tx.all(
        f"""select b.*, coalesce({RAISED}, b.cap) as cap_now from budgets b
        where b.team = :team and (b.scope = 'workspace'
          or (b.scope = 'channel' and b.target in (:channel, '{EACH}'))
          or (b.scope = 'person' and b.target in (:person, '{EACH}'))
          or (b.scope = 'model' and b.target in (:model, '{EACH}'))
          or (b.scope = 'kind' and b.target in (:kind, '{EACH}')))
        order by b.target""",  # '*' comes before every name
        now=now,
        **request,
    )
    closest = {(budget["scope"], budget["period"]): budget for budget in found}
    for budget in closest.values():
        target = request.get(budget["scope"], "")
        budget |= {"target": target, "first": firsts[budget["period"]]}
        budget |= use(tx, budget)
    return sorted(closest.values(), key=lambda budget: budget["id"])


def list_in_channel(
    tx: Tx, now: float, firsts: dict[str, str], *, team: str, channel: str
) -> list[dict[str, Any]]:
    """The budgets that every request in a channel counts towards: its own and the workspace's."""
    anybody = {"team": team, "channel": channel, "person": "", "model": "", "kind": ""}
    found = _find_covering(tx, now, firsts, **anybody)
    return [row for row in found if row["scope"] in ("channel", "workspace")]


def use(tx: Tx, budget: dict[str, Any]) -> dict[str, Any]:
    """What is spent and reserved of a budget. A `new` period or budget begins with what the ledger knows."""
    key = {"budget": budget["id"], "target": budget["target"], "first": budget["first"]}
    row = tx.one(
        """select spent, reserved, warned, 0 as new from budget_use
        where budget = :budget and target = :target and first = :first""",
        **key,
    )
    return row or {"spent": _spent(tx, budget), "reserved": 0, "warned": 0, "new": 1}


def _spent(tx: Tx, budget: dict[str, Any]) -> int:
    row = tx.one(
        f"""select cast(coalesce(sum(cost), 0) as bigint) as spent from usage_days
        where team = :team and day >= :first {COVERS[budget["scope"]]}""",
        **{
            name: budget[name]
            for name in ("team", "first", "target")
            if name != "target" or COVERS[budget["scope"]]
        },
    )
    return int(row["spent"]) if row else 0


def hold(tx: Tx, entry: int, budget: dict[str, Any], amount: int) -> None:
    """Sets an amount of a budget aside for one ledger row; Full when it has no room for it.

    The room is tested by the statement that takes it, so that two processes cannot take the same room.
    """
    key = {"budget": budget["id"], "target": budget["target"], "first": budget["first"]}
    if tx.changed(
        """insert into budget_use (budget, target, first, spent) values (:budget, :target, :first, :spent)
        on conflict (budget, target, first) do nothing""",
        spent=budget["spent"],
        **key,
    ):
        _hold_earlier(tx, entry, budget, key)
    taken = tx.changed(
        """update budget_use set reserved = reserved + :amount where budget = :budget and target = :target
        and first = :first and spent + reserved + :amount <= :cap""",
        amount=amount,
        cap=budget["cap_now"],
        **key,
    )
    if not taken:
        raise Full(budget | use(tx, budget), amount)
    tx.run(
        "insert into budget_holds values (:entry, :budget, :target, :first, :amount)",
        entry=entry,
        amount=amount,
        **key,
    )


def _hold_earlier(tx: Tx, entry: int, budget: dict[str, Any], key: dict[str, Any]) -> None:
    """A budget that was set while requests were under way counts them, too."""
    where = COVERS[budget["scope"]]
    tx.run(
        f"""insert into budget_holds select id, :budget, :target, :first, coalesce(reserved, 0)
        from ledger where outcome = 'open' and id <> :entry and team = :team and day >= :first {where}""",
        entry=entry,
        team=budget["team"],
        **key,
    )
    tx.run(
        """update budget_use set reserved = (select coalesce(sum(amount), 0) from budget_holds where
        budget = :budget and target = :target and first = :first)
        where budget = :budget and target = :target and first = :first""",
        **key,
    )


def settle(tx: Tx, entry: int, cost: int) -> None:
    """Turns the holds of a ledger row into what it cost, and notes which budgets passed their mark."""
    for held in tx.all("select * from budget_holds where entry = :entry order by budget", entry=entry):
        tx.run(
            """update budget_use set reserved = reserved - :amount, spent = spent + :cost,
            warned = case when warned = 0 and (spent + :cost) * 100 >= (
                select cap * warn_percent from budgets where id = :budget) then 1 else warned end
            where budget = :budget and target = :target and first = :first""",
            cost=cost,
            **{name: held[name] for name in ("amount", "budget", "target", "first")},
        )
    tx.run("delete from budget_holds where entry = :entry", entry=entry)


def note_price(tx: Tx, entry: int, model: str, day: str, *, priced: bool | None) -> None:
    """Notes which budgets of a request that ends cannot hold its model, or can now that it has a price.

    A gateway may say of some requests alone what they cost. Who was told of the others is not told again.
    """
    if priced:
        there = "model = :model and budget in (select budget from budget_holds where entry = :entry)"
        tx.run(f"delete from budget_gaps where told = 0 and {there}", model=model, entry=entry)
        tx.run(f"update budget_gaps set told = 2 where {there}", model=model, entry=entry)
    elif priced is False:
        tx.run(
            """insert into budget_gaps (budget, model, first)
            select budget, :model, :day from budget_holds where entry = :entry
            on conflict (budget, model) do update set told = 1 where budget_gaps.told = 2""",
            model=model,
            day=day,
            entry=entry,
        )


def due_gaps(tx: Tx) -> list[dict[str, Any]]:
    """Models that a budget could not hold, and whose owner has not been told, with the budget."""
    return tx.all(
        """select b.*, g.model, g.first as noted
        from budget_gaps g join budgets b on b.id = g.budget where g.told = 0 order by g.budget, g.model"""
    )


def mark_gap_told(tx: Tx, budget: int, model: str) -> None:
    """The owner was told; not again."""
    tx.run(
        "update budget_gaps set told = 1 where budget = :budget and model = :model and told = 0",
        budget=budget,
        model=model,
    )


def list_gaps(tx: Tx, budget: int) -> list[str]:
    """The models that a budget cannot hold."""
    rows = tx.all(
        "select model from budget_gaps where budget = :budget and told < 2 order by model", budget=budget
    )
    return [row["model"] for row in rows]


def put(tx: Tx, /, *, by: str, at: float, **budget: Any) -> int:
    """Sets a budget; one for the same team, scope, target and period is changed and keeps what was spent."""
    _lock(tx, budget["team"])
    row = tx.one(
        """insert into budgets (team, scope, target, period, cap, warn_percent, degrade, owner)
        values (:team, :scope, :target, :period, :cap, :warn_percent, :degrade, :owner)
        on conflict (team, scope, target, period) do update set cap = excluded.cap,
        warn_percent = excluded.warn_percent, degrade = excluded.degrade, owner = excluded.owner
        returning id""",
        **budget,
    )
    assert row is not None
    _note(tx, budget | row, "set", by=by, at=at)
    return int(row["id"])


def remove(tx: Tx, team: str, id: int, *, by: str, at: float) -> bool:
    """Ends a budget and its holds; False when the team has none of that number."""
    _lock(tx, team)
    gone = tx.one("select * from budgets where team = :team and id = :id", team=team, id=id)
    if gone is None:
        return False
    tx.run("delete from budgets where id = :id", id=id)
    _begin_anew(tx, **{name: gone[name] for name in ("team", "scope", "target", "period")})
    for table in ("budget_use", "budget_holds", "budget_overrides", "budget_gaps"):
        tx.run(f"delete from {table} where budget = :id", id=id)
    _note(tx, gone, "removed", by=by, at=at)
    return True


def _begin_anew(tx: Tx, **removed: str) -> None:
    """Has the budget for each, for which this one stood in, look at the ledger again: it missed a while."""
    for table in ("budget_use", "budget_holds"):
        tx.run(
            f"""delete from {table} where target = :target and budget in (select id from budgets
            where team = :team and scope = :scope and period = :period and target = '{EACH}')""",
            **removed,
        )


def raise_for_a_while(tx: Tx, /, **override: Any) -> None:
    """A named exception: another cap (nano-dollars) for a budget until a moment (unix seconds)."""
    tx.run(
        """insert into budget_overrides (budget, cap, until_at, person, reason, made_at)
        values (:budget, :cap, :until_at, :person, :reason, :made_at)""",
        **override,
    )
    note = {name: override[name] for name in ("cap", "until_at", "reason")}
    raised = tx.one("select * from budgets where id = :budget", budget=override["budget"])
    assert raised is not None
    _note(tx, raised, "raised", by=override["person"], at=override["made_at"], **note)


def _note(tx: Tx, budget: dict[str, Any], act: str, *, by: str, at: float, **more: Any) -> None:
    """Adds to the list of changes, which nothing ever changes."""
    row = {name: budget[name] for name in ("team", "scope", "target", "period", "cap")}
    tx.run(
        """insert into budget_changes (team, budget, act, scope, target, period, cap, until_at, reason,
        person, at) values (:team, :budget, :act, :scope, :target, :period, :cap, :until_at, :reason,
        :person, :at)""",
        **{"until_at": None, "reason": ""} | row | more,
        budget=budget["id"],
        act=act,
        person=by,
        at=at,
    )
    changed = row | more
    detail = f"{changed['cap']} nano-dollars a {row['period']}"
    about = f"{row['scope']} {row['target']}".strip()
    audit.note(tx, f"budget {act}", about, team=row["team"], person=by, detail=detail, now=at)


def changes(tx: Tx, team: str, limit: int) -> list[dict[str, Any]]:
    """Who set, raised or removed which budget, newest first."""
    return tx.all(
        "select * from budget_changes where team = :team order by id desc limit :limit",
        team=team,
        limit=limit,
    )


def list_standings(tx: Tx, team: str, now: float, firsts: dict[str, str]) -> list[dict[str, Any]]:
    """Every budget of a team with its cap now and its use in the running period."""
    budgets = tx.all(
        f"select b.*, coalesce({RAISED}, b.cap) as cap_now from budgets b where b.team = :team order by b.id",
        team=team,
        now=now,
    )
    for budget in budgets:
        budget["first"] = firsts[budget["period"]]
        budget |= use(tx, budget) | {"gaps": list_gaps(tx, budget["id"])}
    return budgets


def due_warnings(tx: Tx) -> list[dict[str, Any]]:
    """Budgets that passed their warning mark and whose owner has not been told."""
    return tx.all(
        """select b.id, b.team, b.scope, b.period, b.cap, b.owner, b.degrade, u.target, u.first, u.spent
        from budget_use u join budgets b on b.id = u.budget where u.warned = 1 order by u.budget"""
    )


def mark_warned(tx: Tx, budget: int, target: str, first: str) -> None:
    """The owner was told; not again in this period."""
    tx.run(
        "update budget_use set warned = 2 where budget = :budget and target = :target and first = :first",
        budget=budget,
        target=target,
        first=first,
    )
