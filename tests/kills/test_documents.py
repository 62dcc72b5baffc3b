"""`kill -9` while a document is taken in: read again, never twice in the index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.people.acts import FileUpload
from bot.sandbox.slack.server import FakeSlack
from storage.engine import Tx
from tests.support.bot_messages import finals
from tests.support.documents import METADATA
from tests.support.promises import kept_in
from tests.support.rows import FILE, is_settled, look_into
from tests.support.supervised import Supervised, supervised
from tests.support.workspace import MANIFEST

# Of more than one portion of chunks.
OLD = "\n\n".join(f"# Rule {n}\n\nRule {n} is an old one: {'so it is ' * 80}" for n in range(24))

NEW = "\n\n".join(f"# Rule {n}\n\nRule {n} is a new one: {'so it is ' * 80}" for n in range(24))

ADDING = {
    "a portion of it is in the index": "write:add:after:1",
    "it can be found": "write:publish:after:1",
    "its card was posted": "slack:chat.postMessage:after:1",
}


REPLACING = {
    "the new one can be found": "write:publish:after:2",
    "a portion of the old one is erased": "write:erase:after:1",
    "the old one is erased": "write:drop:after:1",
}
REMOVING = {
    "a portion of it is erased": "write:erase:after:1",
    "it is erased": "write:drop:after:1",
}


ATTACHED = {"it has a row": "write:add:after:1", "it can be found": "write:publish:after:1"}


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


@asynccontextmanager
async def with_rules_kept(kill_at: str, path: Path) -> AsyncIterator[tuple[FakeSlack, Supervised]]:
    """A bot that has taken the old rules in, and will die at a point that comes after that."""
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, path, kill_at=[kill_at]) as bot,
    ):
        await drop(slack, OLD)
        await slack.until(lambda: ready(slack), 90)
        yield slack, bot


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
        await kept_in(tmp_path, slack, model)
        await bot.end()
        states, chunks, old = look(tmp_path)
        assert states == ["searchable"]
        assert chunks == old >= 24


@pytest.mark.parametrize("point", REPLACING.values(), ids=REPLACING)
async def test_a_bot_killed_while_it_replaces_a_document_has_the_new_one_alone(
    point: str, tmp_path: Path
) -> None:
    async with with_rules_kept(point, tmp_path) as (slack, bot):
        await drop(slack, NEW)
        await slack.until(lambda: bot.lives == 2 and is_settled(tmp_path), 90)
        await bot.end()
        states, chunks, old = look(tmp_path)
        assert (states, old) == (["searchable"], 0)
        assert chunks >= 24


@pytest.mark.parametrize("point", REMOVING.values(), ids=REMOVING)
async def test_a_bot_killed_while_it_removes_a_document_leaves_nothing_of_it(
    point: str, tmp_path: Path
) -> None:
    async with with_rules_kept(point, tmp_path) as (slack, bot):
        assert (await slack.command("alice", "#general", "/parley", "knowledge remove rules.md")).acked
        await slack.until(lambda: bot.lives == 2 and is_settled(tmp_path), 90)
        await bot.end()
        assert look(tmp_path) == ([], 0, 0)


@pytest.mark.parametrize("point", ATTACHED.values(), ids=ATTACHED)
async def test_a_bot_killed_over_an_attached_file_answers_once_from_one_document(
    point: str, tmp_path: Path
) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=[point]) as bot,
    ):
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        attached = [FileUpload("rules.txt", b"Bicycles are parked behind the greenhouse.")]
        thread = await slack.say("alice", "#general", "@parley where are bicycles parked?", files=attached)
        await slack.until(lambda: bot.lives == 2 and finals(slack, "#general", thread), 90)
        await slack.until(lambda: is_settled(tmp_path), 90)
        await bot.end()
        assert len(finals(slack, "#general", thread)) == 1
        assert "behind the greenhouse" in model.requests[-1].prompt
        assert look(tmp_path) == (["searchable"], 1, 0)
