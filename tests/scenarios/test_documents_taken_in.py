"""Documents on their way in and out of a running workspace, as people see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.knowledge.blocks import REMOVE
from tests.support.documents import audience, cards, documents, found, take_in
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

EMBEDDER = "text-embedding-3-small"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def test_what_vectors_cost_is_told_on_the_card_before_it_is_spent(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        f'[[price]]\nmodel = "{EMBEDDER}"\nsource = "made up"\nchecked_on = 2026-11-01\ninput_mtok = 2000\n'
    )
    async with workspace(tmp_path, PARLEY_EMBEDDINGS=EMBEDDER, PARLEY_PRICES=str(prices)) as team:
        await take_in(team)
        await team.slack.until(lambda: "by meaning" not in str(team.calls("chat.update")[-1]["blocks"]))
        told = next(one for one in team.slack.requests if "That will cost about $0.0" in str(one.arguments))
        spent = [one for one in team.model.requests if one.endpoint == "embeddings"]
        assert spent
        assert told.at < spent[0].at
        assert "will cost" not in str(team.calls("chat.update")[-1]["blocks"])


async def test_a_guest_finds_what_the_channel_has_and_nothing_of_the_workspace(team: Workspace) -> None:
    team.slack.workspace.people[team.slack.user("bob")].guest = True
    await take_in(team, words="knowledge add workspace")
    await take_in(team, "lifts.md", "# Lifts\n\nLifts hold 300 kg.")
    for user, whole in (("alice", True), ("bob", False)):
        listed = str(await run_command(team, user, "knowledge list"))
        assert "lifts.md" in listed
        assert ("rules.md" in listed) is whole
        thread = await team.ask("@parley what do lifts hold, and where are bicycles parked?", user=user)
        await team.answer("#general", thread)
        read = "".join(request.prompt for request in team.model.requests)
        assert "300 kg" in read
        assert ("greenhouse" in read) is whole
        team.model.requests.clear()


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
