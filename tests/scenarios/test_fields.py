"""Fields of documents as people see them: described, read, shown as a table, put right, sent as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.documents.pdf_file import write_pdf
from bot.sandbox.documents.text_pages import read_pages
from handlers.fields import windows
from handlers.fields.cards import RUN
from handlers.knowledge import windows as document_windows
from tests.support.documents import drop_file
from tests.support.guarded_channel import filled
from tests.support.workspace import Workspace, workspace

DESCRIBED = "invoice: number, date, supplier, net, VAT, total with currency"
CLEAN = """
## Harbour Paper Ltd

| Invoice no. | HP-2041 |
| Date | 3 April 2026 |
| Net | 100.00 EUR |
| VAT 19 % | 19.00 EUR |
| Total due | 119.00 EUR |
"""


def invoices(*texts: str) -> bytes:
    return write_pdf(read_pages("<!-- page -->".join(texts)), title="Invoices")


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def describe(team: Workspace, words: str = DESCRIBED, *, every: str = "true") -> None:
    """An owner describes fields, looks at how that was understood, and keeps it."""
    await team.slack.command("alice", "#general", "/parley", f"fields {words}")
    assert "*total*: an amount with its currency" in str(await filled(team))
    await team.slack.submit("alice", {windows.EVERY: every})
    assert "Saved" in str(await filled(team))
    await team.slack.close_modal("alice", everything=True)


async def message_of(team: Workspace, kind: str, *told: str) -> dict[str, Any]:
    """The message of ours of that kind that tells all of this."""
    place = team.slack.workspace.channels[team.slack.channel("#general")]

    def shown() -> dict[str, Any] | None:
        mine = (m for m in place.messages.values() if (m.get("metadata") or {}).get("event_type") == kind)
        return next((m for m in mine if all(word in m["text"] for word in told)), None)

    return dict(await team.slack.until(shown))


def read_table(message: dict[str, Any]) -> list[dict[str, str]]:
    (table,) = [block for block in message["blocks"] if block["type"] == "table"]
    head, *rows = [[cell["text"] for cell in row] for row in table["rows"]]
    return [dict(zip(head, row, strict=True)) for row in rows]


async def test_fields_are_extracted_from_a_file_that_is_no_document_yet(team: Workspace) -> None:
    await describe(team, every="false")
    dropped = await drop_file(team, "one.pdf", invoices(CLEAN))
    await team.slack.shortcut("bob", "ask_parley", channel="#general", ts=dropped)
    asked = await filled(team, "bob")
    await team.slack.press("bob", "", "", document_windows.EXTRACT, view_id=asked["id"])
    choice = await filled(team, "bob", depth=2)
    assert "Describe fields" not in str(choice), "bob does not look after the channel"
    await team.slack.press("bob", "", "", windows.EXTRACT, view_id=choice["id"])
    card = await message_of(team, RUN, "1 row of *invoice*")
    assert card["thread_ts"] == dropped
    assert "119.00" in read_table(card)[0]["total"]
