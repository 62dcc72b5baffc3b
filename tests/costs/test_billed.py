"""What a gateway says it billed: believed where it may be true, marked, and reconciled with our prices."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import reconcile as reconcile_cli
from bot.core.calendar import Calendar, zone
from bot.core.settings import Settings
from bot.core.values import Scope, Usage
from bot.costs.billed import FACTOR, is_believed
from bot.costs.budgets import Budget, Budgets
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.provider.reported_usage import read_billed
from storage.database import open_engine
from storage.engine import Engine, Tx
from tests.support.engines import database_url
from tests.support.model_api import SCOPE, Bench, open_bench

PRICED, UNPRICED = "gpt-4.1-mini", "our-own-llama"
USED = {"prompt_tokens": 1_000, "completion_tokens": 100, "input_tokens": 1_000, "output_tokens": 100}
OURS = 560_000  # nano-dollars of that, with gpt-4.1-mini
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
CLIP = Path(__file__).parents[2] / "bot/sandbox/clips/release_note.m4a"
GATEWAY = "http://gateway.internal:4000/v1"


@pytest.mark.parametrize(
    ("usage", "header", "billed"),
    [
        ({"cost": 0.0012}, "", "0.0012"),
        ({"cost": "0.0012"}, "", "0.0012"),
        ({"cost": 1.2e-05}, "", "0.000012"),
        ({}, "0.0034", "0.0034"),
        (None, "3.4e-05", "0.000034"),
        ({"cost": 0.0012}, "0.0034", "0.0012"),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, "", "0.021"),
        ({"cost": 0.001, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, "", "0.001"),
        ({"cost": -0.1}, "", None),
        ({"cost": float("nan")}, "", None),
        ({"cost": float("inf")}, "", None),
        ({"cost": True}, "", None),
        ({"cost": [1]}, "", None),
        ({"cost": "a lot"}, "", None),
        ({"cost": "9" * 400}, "", None),
        ({}, "None", None),
        ({}, "-1", None),
        ({}, "NaN", None),
        ({}, "1e400", None),
        ({}, "", None),
    ],
)
def test_what_was_billed_is_read_where_a_gateway_says_it(usage: Any, header: str, billed: str | None) -> None:
    assert read_billed(usage, header) == (None if billed is None else Decimal(billed))


@given(usage=st.recursive(st.none() | st.floats() | st.text() | st.booleans(), st.lists), header=st.text())
def test_whatever_a_server_writes_there_is_an_amount_or_nothing(usage: Any, header: str) -> None:
    billed = read_billed({"cost": usage}, header)
    assert billed is None or (billed.is_finite() and billed >= 0)


@given(
    billed=st.decimals(allow_nan=True, allow_infinity=True),
    listed=st.none() | st.decimals(min_value=0, max_value=1000, places=9),
    read=st.integers(0, 10_000),
)
def test_no_amount_makes_a_request_free_or_dearer_than_any_model(
    billed: Decimal, listed: Decimal | None, read: int
) -> None:
    used = Usage(input_tokens=read, output_tokens=10)
    if is_believed(billed, listed, used):
        assert billed > 0
        assert billed <= (
            listed * FACTOR if listed is not None else Decimal("0.0003") * read + Decimal("0.012")
        )
        assert listed is None or billed >= listed / FACTOR


async def ask(bench: Bench, model: str, told: Mapping[str, Any], header: str = "") -> dict[str, Any]:
    """One question to a gateway that reports this; its row in the ledger."""
    bench.model.bills = header
    bench.model.faults.add("usage", value={**USED, **told})
    await bench.ask(model=model)
    return (await bench.rows())[-1]


@pytest.mark.parametrize(
    ("style", "model"), [("chat", PRICED), ("responses", PRICED), ("transcript", "rehearsal")]
)
@pytest.mark.parametrize(("told", "header"), [({"cost": 0.0012}, ""), ({}, "0.0012")])
async def test_a_gateways_amount_counts_and_is_marked(
    tmp_path: Path, style: str, model: str, told: Mapping[str, Any], header: str
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        row = await ask(bench, model, told, header)
        assert (row["cost"], row["reported"]) == (1_200_000, 1)
        assert row["listed"] == (None if model == "rehearsal" else OURS)


@pytest.mark.parametrize("answer", ["vectors", "sound"])
async def test_a_gateways_amount_counts_for_answers_in_one_piece(tmp_path: Path, answer: str) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.bills = "0.0001" if answer == "sound" else "0.00000002"
        if answer == "vectors":
            await bench.provider.embed(["hello there"], SCOPE, model="text-embedding-3-small")
        else:
            await bench.provider.transcribe(
                CLIP.name, CLIP.read_bytes(), SCOPE, model="whisper-1", seconds=1.0
            )
        (row,) = await bench.rows()
        assert row["reported"] == 1
        assert row["cost"] == (100_000 if answer == "sound" else 20)


@pytest.mark.parametrize(
    "amount", ["0", "1e-30", "-0.1", "NaN", "Infinity", "50", "0.0000001", "1e99", "free"]
)
async def test_what_cannot_be_true_does_not_count(tmp_path: Path, amount: str) -> None:
    """Also what a server would say that somebody has taken over."""
    async with open_bench(tmp_path) as bench:
        for told, header in (({"cost": amount}, ""), ({}, amount)):
            row = await ask(bench, PRICED, told, header)
            assert (row["cost"], row["reported"], row["listed"]) == (OURS, 0, None)
        for told, header in (({"cost": amount}, ""), ({}, amount)):
            if amount != "0.0000001":  # of a model without a price nobody knows that it is too little
                row = await ask(bench, "rehearsal", told, header)
                assert (row["cost"], row["reported"]) == (None, 0)


@pytest.mark.parametrize(
    "address", ["", "https://api.openai.com/v1", "https://acme.openai.azure.com/openai/v1"]
)
async def test_a_vendors_own_api_is_no_gateway(tmp_path: Path, address: str) -> None:
    async with ledger_at(tmp_path, address) as (ledger, engine):
        await spend(ledger, PRICED, Decimal("0.0012"))
        assert [(row["cost"], row["reported"]) for row in await engine.read(rows)] == [(OURS, 0)]


def rows(tx: Tx) -> list[dict[str, Any]]:
    return tx.all("select * from ledger order by id")


@asynccontextmanager
async def ledger_at(
    path: Path, address: str = GATEWAY, **prices: Any
) -> AsyncIterator[tuple[Ledger, Engine]]:
    async with open_engine(database_url(path / "parley.db")) as engine:
        calendar = Calendar(zone("UTC"), clock=lambda: NOON)
        ledger = Ledger(engine, Prices(address, **prices), calendar)
        await ledger.start()
        yield ledger, engine


async def spend(ledger: Ledger, model: str, billed: Decimal | None, *, outcome: Any = "ok") -> Decimal | None:
    used = Usage(input_tokens=1_000, output_tokens=100)
    entry = await ledger.open(SCOPE, model, upper_bound=used, attempt=1)
    return await ledger.settle(entry, used, outcome=outcome, billed=billed)


async def test_what_the_operator_says_is_free_stays_free(tmp_path: Path) -> None:
    async with ledger_at(tmp_path, free=(UNPRICED,)) as (ledger, _):
        assert await spend(ledger, UNPRICED, Decimal("0.01")) == 0


async def test_budgets_hold_what_a_gateway_bills_also_after_a_restart(tmp_path: Path) -> None:
    bound = Usage(input_tokens=1_000, output_tokens=100)
    async with ledger_at(tmp_path) as (ledger, _):
        before = await ledger.open(SCOPE, PRICED, upper_bound=bound, attempt=1)
        assert (await ledger.open(SCOPE, UNPRICED, upper_bound=bound, attempt=1)).reserved_usd is None
        await spend(ledger, PRICED, Decimal("0.00112"))
        await spend(ledger, UNPRICED, Decimal("0.003"))
        for model, held in ((PRICED, Decimal("0.00112")), (UNPRICED, Decimal("0.003"))):
            entry = await ledger.open(SCOPE, model, upper_bound=bound, attempt=1)
            assert before.reserved_usd == Decimal("0.00056")
            assert entry.reserved_usd == held
    async with ledger_at(tmp_path) as (ledger, _):
        entry = await ledger.open(SCOPE, UNPRICED, upper_bound=bound, attempt=1)
        assert entry.reserved_usd == Decimal("0.003")


# What a budget cannot hold


async def test_a_budget_that_cannot_hold_a_model_notes_it_once_until_there_is_a_price(tmp_path: Path) -> None:
    async with ledger_at(tmp_path) as (ledger, engine):
        budgets = Budgets(engine, ledger.calendar)
        id = await budgets.put(Budget("T1", "channel", "C1", "month", Decimal(5), owner="U1"))
        await spend(ledger, UNPRICED, None, outcome="failed")
        assert await budgets.due_gaps() == []
        await spend(ledger, PRICED, None)
        assert await budgets.due_gaps() == []
        for _ in range(2):
            await spend(ledger, UNPRICED, None)
        (gap,) = await budgets.due_gaps()
        assert (gap.budget.id, gap.model) == (id, UNPRICED)
        await budgets.note_gap_told(gap)
        await spend(ledger, UNPRICED, None)
        assert await budgets.due_gaps() == []
        (standing,) = await budgets.standings("T1")
        assert standing.gaps == (UNPRICED,)
        # Its gateway says of some requests what they cost.
        for billed, gaps in ((Decimal("0.001"), ()), (None, (UNPRICED,)), (Decimal("0.001"), ())):
            await spend(ledger, UNPRICED, billed)
            (standing,) = await budgets.standings("T1")
            assert standing.gaps == gaps
            assert await budgets.due_gaps() == []
        await budgets.remove("T1", id)
        await budgets.put(Budget("T1", "channel", "C1", "month", Decimal(5), owner="U1"))
        for billed, due in ((None, 1), (Decimal("0.001"), 0), (None, 1)):  # another budget, another owner
            await spend(ledger, UNPRICED, billed)
            assert len(await budgets.due_gaps()) == due


# Reconciling, and tags


async def reconcile(path: Path, *words: str, **settings: Any) -> int:
    parser = argparse.ArgumentParser()
    reconcile_cli.add_arguments(parser)
    own = Settings(database=database_url(path / "parley.db"), **settings)
    return await reconcile_cli.run(parser.parse_args(words), own)


async def test_reconciling_shows_what_was_reported_beside_our_prices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = ("--first", "2026-11-01", "--last", "2026-11-30")
    async with ledger_at(tmp_path) as (ledger, _):
        await spend(ledger, PRICED, None)
    assert await reconcile(tmp_path, "--reported", *days) == 0
    assert capsys.readouterr().out == "No gateway reported what it billed.\n"
    async with ledger_at(tmp_path) as (ledger, _):
        await spend(ledger, PRICED, Decimal("0.00056"))
        await spend(ledger, UNPRICED, Decimal("0.003"))
    assert await reconcile(tmp_path, "--reported", *days) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-23  gpt-4.1-mini  1 request, reported by the gateway: $0.00056; by our prices $0.00056",
        "2026-11-23  our-own-llama  1 request, reported by the gateway: $0.0030; no price of ours",
    ]
    async with ledger_at(tmp_path) as (ledger, _):
        await spend(ledger, PRICED, Decimal("0.00112"))
    assert await reconcile(tmp_path, "--reported", *days) == 1
    assert "2 requests, reported by the gateway: $0.0017; by our prices $0.0011 (+50.0%)" in (
        capsys.readouterr().out
    )
    export = tmp_path / "export.csv"
    export.write_text("date,model,requests,input_tokens,output_tokens\n2026-11-23,gpt-4.1-mini,3,3000,300\n")
    await reconcile(tmp_path, str(export))
    assert "reported by the gateway" in capsys.readouterr().out


async def test_without_a_key_requests_carry_no_tags(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        await bench.ask()
        assert "x-litellm-tags" not in {name.lower() for name in bench.model.requests[0].headers}


async def test_with_a_key_requests_carry_hashed_tags_that_reconcile_explains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = Scope("T1", "C2", "U2", "T1:C2:1.0", "answer")
    async with open_bench(tmp_path, tag_key="a secret of ours") as bench:
        await bench.ask()
        await bench.provider.embed(["hello"], elsewhere, model="text-embedding-3-small")
        sent = [
            {name.lower(): value for name, value in request.headers.items()}["x-litellm-tags"].split(",")
            for request in bench.model.requests
        ]
    assert sent[0][0] == sent[1][0], "the same team"
    assert sent[0][1] != sent[1][1], "another channel"
    assert sent[0][2] == sent[1][2], "kinds are the scope's"
    assert not {"T1", "C1", "U1", "answer"} & set("-".join(sent[0] + sent[1]).split("-"))
    assert await reconcile(tmp_path, "--tags", tag_key="a secret of ours") == 0
    told = dict(line.split("  ") for line in capsys.readouterr().out.splitlines())
    assert [told[tag] for tag in sent[1]] == ["team T1", "channel C2 of T1", "kind answer"]
    assert await reconcile(tmp_path, "--tags", tag_key="another") == 0
    assert not set(sent[0]) & {line.split("  ")[0] for line in capsys.readouterr().out.splitlines()}
