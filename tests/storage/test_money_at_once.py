"""Four processes spend from the same budgets at the same moment, to the last cent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.costs import budgets, ledger
from storage.engine import Tx
from tests.support.at_once import PROCESSES, Four, Transact
from tests.support.engines import POSTGRESQL, SERIALIZABLE, database_url
from tests.support.statements import open_statements

pytestmark = [
    pytest.mark.parametrize("database_engine", [POSTGRESQL, SERIALIZABLE], indirect=True),
    pytest.mark.usefixtures("database_engine"),
]
DAY = "2026-11-23"
FIRSTS = {"day": DAY, "week": DAY, "month": "2026-11-01"}
ROUNDS, COST, CAP = 20, 7, 10_000
END: dict[str, Any] = dict.fromkeys((*ledger.COUNTED, "input_audio_tokens"), 0) | {
    "outcome": "ok", "reason": "", "tier": "", "latency_ms": 1, "settled_at": 2.0, "cost": COST,
}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path, database_engine: str) -> str:
    return database_url(tmp_path / "parley.db")


@pytest.fixture
def tx(url: str) -> Iterator[Tx]:
    with open_statements(url) as tx:
        yield tx


def open_row(tx: Tx, id: int, team: str, *, reserved: int = 10) -> None:
    row = {
        "id": id, "team": team, "channel": "C1", "person": "U1", "conversation": "", "kind": "answer",
        "attempt": 1, "day": DAY, "opened_at": 1.0, "worker": 0,
    }  # fmt: skip
    ledger.open_row(tx, row, [{"model": "m", "reserved": reserved, "reason": ""}], FIRSTS)


def settle_row(tx: Tx, id: int) -> None:
    ledger.settle_row(tx, id, **END)


def put(tx: Tx, team: str, scope: str = "workspace", target: str = "", cap: int = CAP) -> int:
    given = {"scope": scope, "target": target, "period": "day", "cap": cap}
    return budgets.put(tx, by="U1", at=1, team=team, warn_percent=80, degrade=0, owner="U1", **given)


def id_of(process: int, turn: int, number: int) -> int:
    return 1 + (turn * PROCESSES + process) * 10 + number


def spend(transact: Transact, process: int, turn: int) -> None:
    """What was under way before ends, two requests are made, and meanwhile a budget may be set."""
    team = f"T{turn}"
    if process == 0:
        transact(settle_row, id_of(0, turn, 0))
    if process == 1 and turn % 2:
        transact(put, team)
    for number in (1, 2):
        transact(open_row, id_of(process, turn, number), team)
        transact(settle_row, id_of(process, turn, number))


def test_a_budget_knows_what_ended_while_it_was_set_or_its_day_began(tx: Tx, url: str) -> None:
    for turn in range(ROUNDS):
        open_row(tx, id_of(0, turn, 0), f"T{turn}")
        put(tx, f"T{turn}", "channel", "C1")
        if turn % 2 == 0:
            put(tx, f"T{turn}")
    with Four(url) as four:
        assert set(four.run(spend, rounds=ROUNDS)) == {None}
    uses = tx.all("select spent, reserved from budget_use")
    assert Counter((row["spent"], row["reserved"]) for row in uses) == {(9 * COST, 0): 2 * ROUNDS}
    assert tx.all("select * from budget_holds") == []


def spend_or_remove(transact: Transact, process: int, turn: int) -> int:
    """Each has a budget; one that stands in for a channel ends meanwhile."""
    if process == 3:
        transact(budgets.remove, f"T{turn}", turn * 2 + 2, by="U1", at=1)
        return 0
    transact(open_row, id_of(process, turn, 0), f"T{turn}")
    transact(settle_row, id_of(process, turn, 0))
    return 1


def open_last(tx: Tx, turn: int) -> None:
    open_row(tx, id_of(3, turn, 9), f"T{turn}", reserved=0)


def test_a_budget_for_each_counts_all_of_it_when_the_one_in_its_place_ends(tx: Tx, url: str) -> None:
    for turn in range(ROUNDS):
        assert put(tx, f"T{turn}", "channel", budgets.EACH) == turn * 2 + 1
        assert put(tx, f"T{turn}", "channel", "C1") == turn * 2 + 2
    with Four(url) as four:
        four.run(spend_or_remove, rounds=ROUNDS)
    for turn in range(ROUNDS):
        open_last(tx, turn)
    uses = tx.all("select budget, spent, reserved from budget_use order by budget")
    assert uses == [{"budget": n * 2 + 1, "spent": 3 * COST, "reserved": 0} for n in range(ROUNDS)]


def hold(transact: Transact, process: int, turn: int) -> bool:
    try:
        transact(open_row, id_of(process, turn, 0), "T", reserved=300)
    except budgets.Full:
        return False
    return True


def test_no_cap_is_passed(tx: Tx, url: str) -> None:
    put(tx, "T")
    put(tx, "T", "channel", "C1", cap=CAP * 2)
    with Four(url) as four:
        taken = four.run(hold, rounds=ROUNDS)
    assert Counter(taken)[True] == CAP // 300
    assert [row["reserved"] for row in tx.all("select reserved from budget_use")] == [9_900, 9_900]
