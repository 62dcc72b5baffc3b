"""What the page `/knowledge` is made of: weeks and shares, tables and their files, addresses.

Who may open it, and how it works in a browser: tests/browser/test_knowledge_page.py.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import NotUnderstood
from bot.knowledge_page import documents, questions
from bot.knowledge_page.filters import PageFilters, read_filters
from bot.knowledge_page.section import ROWS, KnowledgeSection
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
    low, high = questions.find_interval(hits, of)
    assert 0 <= low <= hits / of + 1e-9
    assert hits / of - 1e-9 <= high <= 1


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
