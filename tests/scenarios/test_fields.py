"""Fields of documents as people see them: described, read, shown as a table, put right, sent as a file."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bot.cli import fields as cli_fields
from bot.fields.wanted import WANTED, WantedOf
from bot.jobs.inbox import Job
from bot.knowledge.removal import REMOVED
from bot.sandbox.documents.pdf_file import write_pdf
from bot.sandbox.documents.text_pages import read_pages
from handlers.fields import blocks, review_windows, windows
from handlers.fields.cards import OFFER, RUN
from handlers.fields.review_windows import load_pressed
from handlers.knowledge import windows as document_windows
from handlers.knowledge.blocks import REMOVE
from handlers.knowledge.sources import METADATA
from tests.support.documents import audience, drop_file, take_in
from tests.support.guarded_channel import filled
from tests.support.invoices import CLEAN_INVOICE, TWO_TOTALS
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

DESCRIBED = "invoice: number, date, supplier, net, VAT, total with currency"


def invoices(*texts: str) -> bytes:
    return write_pdf(read_pages("<!-- page -->".join(texts)), title="Invoices")


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def describe(
    team: Workspace, words: str = DESCRIBED, *, every: str = "true", channel: str = "#general"
) -> None:
    """An owner describes fields, looks at how that was understood, and keeps it."""
    await team.slack.command("alice", channel, "/parley", f"fields {words}")
    assert "*total*: an amount with its currency" in str(await filled(team))
    await team.slack.submit("alice", {windows.EVERY: every})
    assert "Saved" in str(await filled(team))
    await team.slack.close_modal("alice", everything=True)


async def message_of(team: Workspace, kind: str, *told: str, channel: str = "") -> dict[str, Any]:
    """The message of ours of that kind that tells all of this."""
    place = team.slack.workspace.channels[channel or team.slack.channel("#general")]

    def shown() -> dict[str, Any] | None:
        mine = (m for m in place.messages.values() if (m.get("metadata") or {}).get("event_type") == kind)
        return next((m for m in mine if all(word in m["text"] for word in told)), None)

    return dict(await team.slack.until(shown))


def read_table(message: dict[str, Any]) -> list[dict[str, str]]:
    (table,) = [block for block in message["blocks"] if block["type"] == "table"]
    head, *rows = [[cell["text"] for cell in row] for row in table["rows"]]
    return [dict(zip(head, row, strict=True)) for row in rows]


async def take(team: Workspace, right: str) -> None:
    """Clicks the value that is right."""
    review = await filled(team)
    (found,) = [block for block in review["blocks"] if f"*{right}*" in str(block.get("text"))]
    value = found["accessory"]["value"]
    await team.slack.press("alice", "", "", review_windows.TAKE, view_id=review["id"], value=value)
    await team.slack.until(lambda: f"*{right}*" not in str(team.slack.modals("alice")[-1]))


async def sent_file(team: Workspace, name: str) -> str:
    def uploaded() -> str | None:
        files = [file for file in team.slack.workspace.files.values() if file.about["name"] == name]
        return files[-1].content.decode() if files else None

    return str(await team.slack.until(uploaded))


async def test_an_invoice_is_read_shown_put_right_in_two_clicks_and_sent_as_a_file(
    team: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    await describe(team)
    await take_in(team, "invoices.pdf", invoices(CLEAN_INVOICE, TWO_TOTALS))
    card = await message_of(team, RUN, "2 rows of *invoice*", "to look at")
    first, second = read_table(card)
    assert (first["number"], first["date"], first["total"]) == ("HP-2041", "2026-04-03", "EUR 119.00")
    assert first["where"] == "page 1"
    assert second["total"].startswith("⚠")

    await team.slack.press("alice", "#general", card["ts"], blocks.REVIEW)
    shown = str(await filled(team))
    assert all(f"*EUR {total}*" in shown for total in ("258.00", "238.00")), "both totals are told"
    await take(team, "EUR 238.00")
    assert review_windows.NOTHING_LEFT in str(await filled(team))
    card = await message_of(team, RUN, "2 rows of *invoice* from *Invoices (invoices.pdf)*.")
    assert read_table(card)[1]["total"] == "EUR 238.00"
    await team.slack.close_modal("alice", everything=True)

    await run_command(team, "alice", "fields invoice csv")
    rows = list(csv.DictReader(io.StringIO(await sent_file(team, "invoice.csv"))))
    assert [row["number"] for row in rows] == ["HP-2041", "DT-7"]
    await run_command(team, "bob", "fields invoice jsonl")
    lines = [json.loads(line) for line in (await sent_file(team, "invoice.jsonl")).splitlines()]
    assert "238.00 EUR" in json.dumps(lines[1])

    asked = argparse.Namespace(
        action="export", channel=team.slack.channel("#general"), team="", name="Invoice", format="csv"
    )
    assert await cli_fields.run(asked, team.bot.settings) == 0
    assert capsys.readouterr().out == await sent_file(team, "invoice.csv")

    of_document = await message_of(team, METADATA, "Invoices (invoices.pdf)")
    await team.slack.press("alice", "#general", of_document["ts"], REMOVE)
    place = team.slack.workspace.channels[team.slack.channel("#general")]
    await team.slack.until(lambda: place.messages[card["ts"]]["text"] == REMOVED)
    assert "238" not in str(place.messages[card["ts"]])


async def test_fields_are_extracted_from_a_file_that_is_no_document_yet(team: Workspace) -> None:
    await describe(team, every="false")
    dropped = await drop_file(team, "one.pdf", invoices(CLEAN_INVOICE))
    await team.slack.shortcut("bob", "ask_parley", channel="#general", ts=dropped)
    asked = await filled(team, "bob")
    await team.slack.press("bob", "", "", document_windows.EXTRACT, view_id=asked["id"])
    choice = await filled(team, "bob", depth=2)
    assert "Describe fields" not in str(choice), "bob does not look after the channel"
    await team.slack.press("bob", "", "", windows.EXTRACT, view_id=choice["id"])
    card = await message_of(team, RUN, "1 row of *invoice*")
    assert card["thread_ts"] == dropped
    assert read_table(card)[0]["total"] == "EUR 119.00"


async def test_what_costs_much_is_asked_first_and_what_nobody_asked_for_is_offered(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[[price]]\nmodel = "gpt-4.1-mini"\nsource = "made up"\nchecked_on = 2026-11-01\n'
        "input_mtok = 2000\noutput_mtok = 2000\n"
    )
    async with workspace(tmp_path, PARLEY_PRICES=str(prices)) as team:
        await describe(team)
        await take_in(team, "one.pdf", invoices(CLEAN_INVOICE))
        offer = await message_of(team, OFFER, "That would cost about $")
        assert not team.model.requests
        await team.slack.press("bob", "#general", offer["ts"], blocks.READ_NOW)
        assert read_table(await message_of(team, RUN, "1 row of *invoice*"))[0]["number"] == "HP-2041"
        assert len([one for one in await list_messages(team) if "Shall I" in one["text"]]) == 0


async def test_what_a_document_does_not_state_is_said_to_be_missing_or_typed(team: Workspace) -> None:
    await describe(team, "invoice: number, date, delivery date, total with currency")
    await take_in(team, "one.pdf", invoices(CLEAN_INVOICE.replace("| Date | 3 April 2026 |\n", "")))
    card = await message_of(team, RUN, "2 values to look at")
    await team.slack.press("alice", "#general", card["ts"], blocks.REVIEW)
    review = await filled(team)
    typed, missing = [
        next(
            one["value"]
            for block in review["blocks"]
            for one in block.get("elements", ())
            if is_about(one, *of)
        )
        for of in ((review_windows.TYPE, "date"), (review_windows.MISSING, "delivery date"))
    ]
    await team.slack.press("alice", "", "", review_windows.MISSING, view_id=review["id"], value=missing)
    await message_of(team, RUN, "1 value to look at")
    await team.slack.press("alice", "", "", review_windows.TYPE, view_id=review["id"], value=typed)
    await filled(team, depth=2)
    await team.slack.submit("alice", {review_windows.TYPED: "soon"})
    assert "date" in team.slack.modals("alice")[-1]["errors"][review_windows.TYPED]
    await team.slack.submit("alice", {review_windows.TYPED: "2026-04-03"})
    (row,) = read_table(await message_of(team, RUN, "1 row of *invoice* from *Invoices (one.pdf)*."))
    assert (row["date"], row["delivery date"]) == ("2026-04-03", "—")
    await team.slack.until(lambda: review_windows.NOTHING_LEFT in str(team.slack.modals("alice")[-1]))


def is_about(button: dict[str, Any], action: str, field: str) -> bool:
    return button.get("action_id") == action and load_pressed(button["value"]).field == field


async def test_in_direct_messages_fields_are_ones_own_and_an_offer_stands_once(team: Workspace) -> None:
    place, services = team.slack.dm("alice"), team.bot.services
    await describe(team, every="false", channel="@parley")
    await take_in(team, "one.pdf", invoices(CLEAN_INVOICE), channel="@parley")
    offer = await message_of(team, OFFER, "Shall I read the fields of *invoice*", channel=place)
    (document,) = await services.documents.list_at(audience(team, "@parley"))
    wanted = WantedOf(document.id, "", document.person, place, offer["thread_ts"])
    job = Job(1, "k", "c", WANTED, json.dumps(asdict(wanted)), 2, 0, 1, float(offer["ts"]))
    await services.wanted_fields.work(job)  # as after the end of a process that had posted it
    messages = team.slack.workspace.channels[place].messages.values()
    assert sum("Shall I" in one["text"] for one in messages) == 1
    await team.slack.press("alice", "@parley", offer["ts"], blocks.READ_NOW)
    await message_of(team, RUN, "1 row of *invoice*", channel=place)
    assert "HP-2041" in str(await run_command(team, "alice", "fields invoice", "@parley"))
    assert "HP-2041" not in str(await run_command(team, "bob", "fields invoice", "@parley"))


async def test_only_those_who_look_after_a_channel_describe_and_guests_neither_review_nor_extract(
    team: Workspace,
) -> None:
    assert "for those who look after it" in await see_window(team, "bob", f"fields {DESCRIBED}")
    await describe(team)
    await take_in(team, "invoices.pdf", invoices(TWO_TOTALS))
    card = await message_of(team, RUN, "to look at")
    team.slack.workspace.people[team.slack.user("bob")].guest = True
    await team.slack.press("bob", "#general", card["ts"], blocks.REVIEW)
    refused = str(await filled(team, "bob"))
    assert "238.00" not in refused
    assert "members of this workspace" in refused
    await team.slack.close_modal("bob", everything=True)
    elsewhere = str(await run_command(team, "alice", "fields invoice", "#finance"))
    assert "DT-7" not in elsewhere, "rows are seen in their channel alone"


async def see_window(team: Workspace, user: str, words: str) -> str:
    await team.slack.command(user, "#general", "/parley", words)
    shown = str(await filled(team, user))
    await team.slack.close_modal(user, everything=True)
    return shown


async def list_messages(team: Workspace) -> list[dict[str, Any]]:
    return list(team.slack.workspace.channels[team.slack.channel("#general")].messages.values())
