"""Documents on their way in and out of a running workspace, as people see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.knowledge.blocks import REMOVE
from tests.support.documents import audience, cards, documents, found, take_in
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def test_a_dropped_file_is_taken_in_found_listed_and_removed(team: Workspace) -> None:
    dropped = await take_in(team)
    (card,) = cards(team, "#general", dropped)
    assert "can be asked about in this channel" in card["text"]
    here = audience(team, "#general")
    assert any("behind the greenhouse" in text for text in await found(team, "Where are bicycles?", here))
    assert "rules.md" in str(await run_command(team, "alice", "knowledge list"))
    assert await found(team, "Where are bicycles?", audience(team, "#finance")) == []
    await team.slack.press("alice", "#general", card["ts"], REMOVE)
    await team.slack.until(lambda: "removed" in cards(team, "#general", dropped)[0]["text"])
    assert await found(team, "Where are bicycles?", here) == []
    assert await documents(team, here) == []
    assert "rules.md" not in str(await run_command(team, "alice", "knowledge list"))
