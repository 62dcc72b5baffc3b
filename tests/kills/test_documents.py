"""`kill -9` while a document is taken in: read again, never twice in the index."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.people.acts import FileUpload
from bot.sandbox.slack.server import FakeSlack
from storage.engine import Tx
from tests.support.documents import METADATA
from tests.support.rows import FILE, look_into
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST

# Of more than one portion of chunks.
OLD = "\n\n".join(f"# Rule {n}\n\nRule {n} is an old one: {'so it is ' * 80}" for n in range(24))

ADDING = {
    "a portion of it is in the index": "write:add:after:1",
    "it can be found": "write:publish:after:1",
    "its card was posted": "slack:chat.postMessage:after:1",
}


def cards(slack: FakeSlack) -> list[str]:
    found = slack.workspace.channels[slack.channel("#general")].messages.values()
    return [m["text"] for m in found if (m.get("metadata") or {}).get("event_type") == METADATA]


def look(path: Path) -> tuple[list[str], int, int]:
    with look_into(path / FILE) as tx:
        return indexed(tx)


def indexed(tx: Tx) -> tuple[list[str], int, int]:
    """States of documents, their chunks, and chunks of the old words."""
    states = [row["state"] for row in tx.all("select state from documents order by seq")]
    texts = [row["text"] for row in tx.all("select text from document_chunks")]
    return states, len(texts), sum("old one" in text for text in texts)


async def drop(slack: FakeSlack, content: str) -> None:
    await slack.say("alice", "#general", "", files=[FileUpload("rules.md", content.encode())])
    for _ in range(200):  # the bot may not be there yet, and Slack delivers no command twice
        if (await slack.command("alice", "#general", "/parley", "knowledge add")).acked:
            return
        await asyncio.sleep(0.5)


def ready(slack: FakeSlack) -> bool:
    return any("can be asked about" in card for card in cards(slack))


@pytest.mark.parametrize("point", ADDING.values(), ids=ADDING)
async def test_a_bot_killed_while_it_takes_a_document_in_has_it_once(point: str, tmp_path: Path) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=[point]) as bot,
    ):
        await drop(slack, OLD)
        await slack.until(lambda: bot.lives == 2 and ready(slack), 90)
        assert len(cards(slack)) == 1
        await bot.end()
        states, chunks, old = look(tmp_path)
        assert states == ["searchable"]
        assert chunks == old >= 24
