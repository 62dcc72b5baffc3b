"""The page `/knowledge` as the running bot serves it: to whom, of which channel, and in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bot.fields.forms import parse
from bot.fields.shown_rows import encode_values
from bot.fields.values import Value
from bot.knowledge_page.filters import PageFilters
from bot.knowledge_page.service import Reader
from bot.notes.new_note import NewNote
from storage.fields import rows
from storage.fields.rows import StoredRow
from storage.knowledge import document_days, documents
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import Document
from storage.place import Channel
from storage.unanswered.questions import add_question
from tests.support.accessibility import check_accessibility
from tests.support.browser import MISSING, browser
from tests.support.documents import take_in
from tests.support.spending import run_command
from tests.support.usage_page import free_port
from tests.support.workspace import Workspace, workspace

PLAN = "# Plan\n\nThe move to the new office is in March."


async def get(url: str) -> tuple[int, str, Mapping[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text(), dict(response.headers)


@asynccontextmanager
async def open_to_browsers(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Everybody is in #general; the private #leads is Alice's and Bob's. Each has a document."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with workspace(tmp_path, PORT=str(port), PARLEY_PUBLIC_URL=url) as team:
        await take_in(team)
        await take_in(team, "plan.md", PLAN, channel="#leads")
        await count(team, "#general", "answered", 11)
        await count(team, "#general", "refused", 4)
        yield team


async def count(team: Workspace, channel: str, outcome: document_days.Outcome, times: int) -> None:
    services = team.bot.services
    day = services.calendar.today().isoformat()
    at = (team.slack.team, team.slack.channel(channel))
    for _ in range(times):
        await services.engine.write(document_days.count_outcome, *at, day=day, outcome=outcome)


async def link(team: Workspace, user: str, channel: str = "#general") -> str:
    """The address behind the button that somebody is shown."""
    shown = await run_command(team, user, "knowledge page", channel)
    (url,) = [e["url"] for b in shown["blocks"] for e in b.get("elements", ()) if "url" in e]
    return str(url)


async def test_the_page_is_of_the_channel_and_for_those_who_may_read_it(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team:
        general, leads = team.slack.channel("#general"), team.slack.channel("#leads")
        url = await link(team, "carol")
        status, page, headers = await get(url)
        assert status == 200
        assert "Rules" in page or "rules.md" in page
        assert "n = 15" in page
        assert "leads" not in page
        assert "plan.md" not in page
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        # Who guesses a channel reads nothing of it, nor do they read it of a table.
        for more in ("", "&table=documents"):
            status, page, _ = await get(url.replace(general, leads) + more)
            assert (status, "plan" in page) == (403, False)
        bobs = await link(team, "bob", "#leads")
        assert "plan.md" in (await get(bobs))[1]
        rows = (await get(f"{bobs}&table=documents"))[1]
        assert rows.splitlines()[1].startswith("Plan (plan.md),")
        assert (await get(f"{bobs}&table=else"))[0] == 400
        await team.slack.join("bob", "#leads", leave=True)
        assert (await get(bobs))[0] == 403
        await assert_direct_messages_are_their_persons(team)


async def assert_direct_messages_are_their_persons(team: Workspace) -> None:
    await take_in(team, "diary.md", PLAN, user="bob", channel="@parley")
    mine, direct = await link(team, "bob", "@parley"), team.slack.dm("bob")
    assert "diary.md" in (await get(mine))[1]
    assert "diary.md" not in (await get(await link(team, "bob")))[1]
    others = await link(team, "alice")
    general = team.slack.channel("#general")
    assert (await get(others.replace(general, direct)))[0] == 403


async def test_unanswered_questions_are_for_owners_notes_and_field_tables_for_everybody_there(
    tmp_path: Path,
) -> None:
    async with open_to_browsers(tmp_path) as team:
        at = Channel(team.slack.team, team.slack.channel("#general"))
        asked = partial(add_question, person=team.slack.user("bob"), conversation="k", now=1.0)
        await team.bot.services.engine.write(asked, at, "=Who waters the plants?", "Rules")
        note = NewNote(at.team, "channel", at.channel, team.slack.user("bob"), "The plants are real.")
        id = await team.bot.services.notes.add(note)
        await until_found(team, id)
        owners, members = await get(await link(team, "alice")), await get(await link(team, "carol"))
        assert "=Who waters the plants?" in owners[1]
        assert "Who waters the plants?" not in members[1]
        assert "note by bob" in owners[1]
        assert "The plants are real." in members[1]
        assert (await get(f"{await link(team, 'carol')}&table=unanswered"))[0] == 400
        file = (await get(f"{await link(team, 'alice')}&table=unanswered"))[1]
        assert file.splitlines()[1].startswith("'=Who waters the plants?,1,1,")
        await assert_field_tables_are_narrowed_and_go_with_their_document(team)


async def no_names(ids: Iterable[str]) -> dict[str, str]:
    return {}


async def find_file(team: Workspace) -> Document:
    """The one that #general was opened with."""
    at = (team.slack.team, team.slack.channel("#general"))
    known = await team.bot.services.engine.read(documents.list_of_channel, *at)
    (document,) = [one for one in known if one.source != "note"]
    return document


async def add_invoices(team: Workspace, *invoices: tuple[str, str, str]) -> None:
    """The supplier, date and total of each, as if the document of #general had yielded them."""
    services = team.bot.services
    at = (team.slack.team, team.slack.channel("#general"))
    form = replace(parse("invoice: supplier, date, total with currency"), team=at[0], channel=at[1])
    form = await services.fields.save_form(form, by=team.slack.user("alice"))
    document = await find_file(team)
    for piece, values in enumerate(invoices):
        named = zip(form.fields, values, strict=True)
        read = [Value(field.name, value, value, state="ok") for field, value in named]
        row = StoredRow(f"{piece}", form.id, document.id, *at, piece, piece + 1, encode_values(read), 1.0)
        await services.engine.write(rows.add_row, row)


async def assert_field_tables_are_narrowed_and_go_with_their_document(team: Workspace) -> None:
    await add_invoices(team, ("Acme", "2026-10-01", "EUR 12.50"), ("Bolt", "2026-11-01", "EUR 1.00"))
    url = await link(team, "carol")
    page = (await get(url))[1]
    assert "total per month, EUR, in all 13.50" in page
    file = (await get(f"{url}&table=fields&f.supplier=Bolt"))[1]
    assert [line.split(",")[3:6] for line in file.splitlines()[1:]] == [["Bolt", "2026-11-01", "EUR 1.00"]]
    at = (team.slack.team, team.slack.channel("#general"))
    document = await find_file(team)
    reader = Reader(Audience(at[0], at[1], "", open=False), {at[1]: "#general"}, owner=True)
    closed = await team.bot.services.knowledge_page.respond(reader, PageFilters(), no_names)
    assert b"Another company reads along" in closed.body
    assert b"Acme" not in closed.body
    assert b"n = 15" not in closed.body
    await team.bot.services.engine.write(documents.hide, [document.id], reason="unshared")
    assert "Acme" not in (await get(url))[1]


async def until_found(team: Workspace, id: str) -> None:
    for _ in range(2_000):
        found = await team.bot.services.documents.look(id)
        if found is not None and found.state == "searchable":
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


@pytest.mark.browser
async def test_the_page_works_in_light_and_dark_and_on_a_phone(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team, browser() as chromium:
        if chromium is None:
            pytest.skip(MISSING)
        context = await chromium.new_context(accept_downloads=True)
        page = await context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        await add_invoices(team, ("Acme", "2026-10-01", "EUR 12.50"), ("Acme", "2026-11-01", "EUR 1.00"))
        await page.goto(await link(team, "alice"))
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await check_accessibility(page)
        await page.set_viewport_size({"width": 375, "height": 700})
        assert await page.evaluate("document.documentElement.scrollWidth") == 375
        await page.locator("select[name=rows]").select_option("doubtful")
        await page.get_by_role("button", name="Show rows").click()
        await page.get_by_text("0 of 2 rows").wait_for()
        await page.locator("select[name=channel]").select_option(label="#leads")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.get_by_role("link", name="plan.md").wait_for()
        async with page.expect_download() as saved:
            await page.get_by_role("link", name="CSV of Documents").click()
        assert (await saved.value).suggested_filename == "documents.csv"
        assert problems == []
