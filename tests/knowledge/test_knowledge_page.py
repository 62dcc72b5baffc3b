"""What the page `/knowledge` is made of: weeks and shares, tables and their files, addresses.

Who may open it, and how it works in a browser: tests/browser/test_knowledge_page.py.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import NotUnderstood
from bot.fields.values import Field, FieldForm, FieldRow, Value, ValueState
from bot.knowledge_page import documents, field_charts, fields, questions
from bot.knowledge_page.filters import PageFilters, read_filters
from bot.knowledge_page.section import ROWS, KnowledgeSection
from bot.ml.gain import measure_rate
from bot.pages.bars import Bar, Series, draw_over_time, draw_ranked
from bot.pages.tables import Column, Link
from storage.knowledge.document_days import DocumentDay
from storage.knowledge.documents import Document

MONDAY = date(2026, 11, 30)


def test_days_are_added_up_to_weeks_that_begin_on_monday_quiet_ones_too() -> None:
    days = [
        DocumentDay("2026-11-08", answered=50),  # before the time that is asked for
        DocumentDay("2026-11-16", answered=1, refused=2),
        DocumentDay("2026-11-22", answered=4, general=8),
        DocumentDay("2026-11-30", refused=1),
    ]
    weeks = questions.list_weeks(days, today=MONDAY, weeks=3)
    assert [(week.first.isoformat(), week.answered, week.refused, week.general) for week in weeks] == [
        ("2026-11-16", 5, 2, 8),
        ("2026-11-23", 0, 0, 0),
        ("2026-11-30", 0, 1, 0),
    ]


def test_a_share_is_told_with_its_interval_and_of_few_questions_not_at_all() -> None:
    many, few = (
        questions.QuestionWeek(MONDAY, answered=9, refused=1),
        questions.QuestionWeek(MONDAY, answered=9),
    )
    rows = questions.make_section([few, many]).rows
    assert rows[0][4:] == (10, "90", "60 to 98")
    assert rows[1][4:] == (9, "", "")


@given(st.integers(1, 10_000), st.data())
def test_a_share_lies_in_its_interval(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    rate = measure_rate(hits, of)
    assert 0 <= rate.low <= hits / of + 1e-9
    assert hits / of - 1e-9 <= rate.high <= 1


def document(**changed: object) -> Document:
    given = {"id": "d", "team": "T", "audience": "channel", "name": "rules.pdf", "added_at": 0.0}
    return Document(**{**given, **changed})  # type: ignore[arg-type]


def test_a_document_says_what_could_not_be_read_and_why_it_is_not_found() -> None:
    read = document(state="searchable", pages=9, pages_read=8, skipped='[[3, "no text"]]', person="U1")
    failed = document(state="failed", problem="It is locked.")
    hidden = document(state="searchable", hidden="archived")
    section = documents.make_section([hidden, failed, read], {"U1": "Ann"}, UTC)
    first, second, third = ([getattr(cell, "text", cell) for cell in row] for row in section.rows)
    assert first[2:6] == ["can be asked about", 9, 8, "page 3 (no text)"]
    assert first[-2:] == ["Ann", "1970-01-01"]
    assert second[2] == "It is locked."
    assert third[2] == "not to be found now: its channel is archived"


def section(*rows: tuple[str | int | Link, ...]) -> KnowledgeSection:
    return KnowledgeSection("things", "Things", (Column("a"), Column("b")), rows, "There are none.")


def test_a_table_shows_so_many_rows_and_its_file_has_all() -> None:
    many = section(*((f"row {n}", n) for n in range(ROWS + 5)))
    assert f"row {ROWS}<" not in many.show("?")
    assert "And 5 more" in many.show("?")
    assert len(many.csv.decode().splitlines()) == ROWS + 6
    assert "There are none." in section().show("?")


@pytest.mark.parametrize("words", ['=HYPERLINK("http://x")', "+1", "@sum", "a;=1+1", "\u200b=1"])
def test_nothing_in_a_file_is_a_formula(words: str) -> None:
    (_, row) = csv.reader(io.StringIO(section((words, Link(words, "https://x"))).csv.decode(), newline=""))
    assert all(cell.startswith("'") or ";'=" in cell for cell in row)


@given(st.text(), st.text())
def test_nothing_that_came_from_outside_is_markup(words: str, url: str) -> None:
    hostile = f'<b>"{words}'
    shown = section((hostile, Link(hostile, f'javascript:"{url}'))).show(f'?"{url}')
    shown += draw_ranked(hostile, [Bar(hostile, 1, hostile)], said=hostile)
    shown += draw_over_time(hostile, [hostile], [Series(hostile, [1])], said=hostile)
    assert "<b>&quot;" not in shown
    assert '<b>"' not in shown
    assert "javascript:" not in shown
    assert f'"?"{url}' not in shown


def test_an_address_says_the_same_again() -> None:
    filters = read_filters({"token": "t&", "channel": "C1", "weeks": "52", "form": "f", "f.supplier": "A=B"})
    assert filters == PageFilters("t&", "C1", "52", "", "f", {"supplier": "A=B"})
    assert read_filters(dict(parse_qsl(filters.address[1:]))) == filters
    assert read_filters(dict(parse_qsl(filters.download("notes")[1:]))).table == "notes"
    with pytest.raises(NotUnderstood):
        read_filters({"weeks": "13"})


INVOICE = FieldForm(
    "f1",
    "T",
    "C",
    "invoice",
    (
        Field("supplier"),
        Field("date", "date"),
        Field("net", "money"),
        Field("total", "money"),
        Field("paid", "choice", choices=("yes", "no")),
    ),
)


def invoice(number: int, supplier: str, day: str, total: str, *, why: str = "") -> FieldRow:
    state: ValueState = "doubtful" if why else "ok"
    values = (
        Value("supplier", value=supplier, state="ok"),
        Value("date", value=day, state="ok"),
        Value("total", value=total, state=state, why=why),
    )
    return FieldRow(f"r{number}", "f1", "d", "T", "C", number, values, title=f"{number}.pdf")


INVOICES = [
    invoice(1, "Acme", "2026-09-30", "EUR 10.50"),
    invoice(2, "Acme", "2026-11-02", "EUR 4.25"),
    invoice(3, "Bolt", "2026-11-30", "EUR 0.75"),
    invoice(4, "Bolt", "2026-11-30", "USD 7.00"),
    invoice(5, "Cord", "2026-11-30", "EUR 9000", why="There are two totals."),
]


def test_money_is_added_up_by_month_and_currency_and_what_is_doubtful_is_left_out() -> None:
    day, total = INVOICE.find("date"), field_charts.find_total(INVOICE)
    assert day
    assert total
    assert total.name == "total"
    sums, left_out = field_charts.sum_by_month(INVOICES, day, total)
    assert sums == {
        "EUR": {date(2026, 9, 1): Decimal("10.50"), date(2026, 11, 1): Decimal("5.00")},
        "USD": {date(2026, 11, 1): Decimal("7.00")},
    }
    assert left_out == 1
    assert [month.month for month in field_charts.list_months(sums["EUR"])] == [9, 10, 11]
    drawn = field_charts.draw_charts(INVOICE, INVOICES)
    assert "total per month, EUR, in all 15.50" in drawn
    assert "somebody has to look at them: 1." in drawn
    assert "By supplier, n = 5" in drawn


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"f.supplier": "Bolt"}, [3, 4]),
        ({"rows": "doubtful"}, [5]),
        ({"f.supplier": "Acme", "rows": "doubtful"}, []),
        ({"f.nothing of ours": "x"}, [1, 2, 3, 4, 5]),
    ],
)
def test_rows_of_a_table_are_narrowed_and_so_is_its_file(query: dict[str, str], numbers: list[int]) -> None:
    section = fields.make_section([INVOICE], INVOICE, INVOICES, read_filters(query))
    told = [f"{number}.pdf" for number in numbers]
    assert [getattr(row[0], "text", "") for row in section.rows] == told
    assert [line.split(",")[0] for line in section.csv.decode().splitlines()[1:]] == told


def test_what_is_to_be_looked_at_is_marked_in_its_table_with_the_reason() -> None:
    shown = fields.make_section([INVOICE], INVOICE, INVOICES, read_filters({})).show("?")
    assert "EUR 9000 (?)" in shown
    assert "total: There are two totals." in shown
    assert "in 1 of them something is to be looked at" in shown
    assert "EUR 10.50 (?)" not in shown


def test_only_fields_that_say_the_same_of_several_rows_are_offered_to_narrow_by() -> None:
    assert fields.list_choices(Field("supplier"), INVOICES) == ["Acme", "Bolt", "Cord"]
    assert fields.list_choices(Field("supplier"), INVOICES[1:3]) == []
    assert fields.list_choices(Field("total", "money"), INVOICES) == []
