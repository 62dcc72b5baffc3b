"""The usage page: only for whom it was signed, and only what they may see.

How the running bot serves it, and how it works in a browser: tests/browser/test_usage_page.py.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import Calendar, zone
from bot.core.errors import NotPermitted, NotUnderstood
from bot.core.values import Scope, Usage
from bot.costs.budgets import EACH, Budget, Budgets
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.costs.viewer import Viewer
from bot.pages.signed_links import LIFE_S, sign, verify
from bot.reports import chart_images
from bot.reports.page import PageData, filters_of, respond
from storage.database import open_engine
from tests.support.engines import database_url

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
SECRET = b"s" * 32
KNOWN = {"C1": "#general", "C2": "#secret-plans", "U1": "Ann", "U2": "Bob <b>"}


@pytest.fixture
async def page_data(tmp_path: Path, undrawn_charts: None) -> AsyncIterator[PageData]:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        calendar = Calendar(zone("UTC"), clock=lambda: NOON)
        ledger = Ledger(engine, Prices(), calendar)
        for channel, user, model in (
            ("C1", "U1", "gpt-6-sol"),
            ("C1", "U2", "gpt-6-sol"),
            ("C2", "U2", "nobodys"),
        ):
            used = Usage(input_tokens=1_000, cached_tokens=500, output_tokens=1_000)
            entry = await ledger.open(
                Scope("T1", channel, user, "", "answer"), model, upper_bound=used, attempt=1
            )
            await ledger.settle(entry, used, outcome="ok")
        budgets = Budgets(engine, calendar)
        await budgets.put(Budget("T1", "workspace", "", "month", Decimal(1)))
        await budgets.put(Budget("T1", "channel", "C2", "day", Decimal(2)))
        await budgets.put(Budget("T1", "person", "U1", "week", Decimal(3)))
        await budgets.put(Budget("T1", "person", EACH, "day", Decimal(4)))
        yield PageData(engine, budgets, "T1", ANN, TODAY, names, chart_images.draw)


async def names(ids: Iterable[str]) -> dict[str, str]:
    return {id: KNOWN[id] for id in ids if id in KNOWN}


ANN = Viewer("U1", private=frozenset({"C2"}))
ADMIN = Viewer("U9", admin=True)


def test_a_link_opens_for_its_user_until_it_ends() -> None:
    token = sign(SECRET, "T1", "U1", now=NOON)
    assert verify(SECRET, token, now=NOON + LIFE_S - 1) == ("T1", "U1")
    with pytest.raises(NotPermitted, match="ended"):
        verify(SECRET, token, now=NOON + LIFE_S)
    with pytest.raises(NotPermitted, match="not one of mine"):
        verify(b"another", token, now=NOON)


@given(st.text())
def test_made_up_links_open_nothing(token: str) -> None:
    with pytest.raises(NotPermitted):
        verify(SECRET, token, now=NOON)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_changed_link_opens_nothing_else(place: int, letter: str) -> None:
    token = sign(SECRET, "T1", "U1", now=NOON)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    try:
        assert verify(SECRET, changed, now=NOON) == ("T1", "U1")  # unused bits at the end of base64
    except NotPermitted:
        assert changed != token


async def test_the_page_shows_what_the_viewer_may_see_and_no_more(page_data: PageData) -> None:
    html = (await respond(page_data, {"token": "abc"})).body.decode()
    assert "#general" in html
    assert 'value="C2"' not in html
    assert "#secret-plans" not in html
    assert "Bob &lt;b&gt;" not in html
    assert 'value="U1"' in html
    assert "Ann, weekly" in html
    assert "the workspace, monthly" not in html


async def test_guessing_an_id_does_not_tell_its_name(page_data: PageData) -> None:
    html = (await respond(page_data, {"channel": "C2", "by": "person"})).body.decode()
    assert "#secret-plans" not in html
    assert "Nothing was used." in html


async def test_an_admin_sees_everything_escaped(page_data: PageData) -> None:
    response = await respond(replace(page_data, viewer=ADMIN), {"by": "person", "token": '"><script>'})
    html = response.body.decode()
    assert "Bob &lt;b&gt;" in html
    assert "Bob <b>" not in html
    assert '"><script>' not in html
    assert "the workspace, monthly" in html
    assert "requests without a known price" in html
    assert response.headers["Cache-Control"] == "no-store"


async def test_downloads_hold_the_rows_of_the_page(page_data: PageData) -> None:
    text = await respond(page_data, {"format": "csv"})
    assert text.body.decode().count("\r\n") == 3
    assert text.headers["Content-Disposition"] == 'attachment; filename="usage.csv"'
    parquet = await respond(replace(page_data, viewer=ADMIN), {"format": "parquet", "channel": "C2"})
    (row,) = pq.read_table(io.BytesIO(parquet.body)).to_pylist()
    assert (row["channel"], row["user"], row["unpriced"]) == ("C2", "U2", 1)


async def test_a_month_without_use_is_a_page_too(page_data: PageData) -> None:
    html = (await respond(page_data, {"span": "2020-01"})).body.decode()
    assert "Nothing was used." in html


@pytest.mark.parametrize("query", [{"span": "never"}, {"by": "mood"}])
def test_filters_we_do_not_know_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(NotUnderstood):
        filters_of(query, TODAY)
