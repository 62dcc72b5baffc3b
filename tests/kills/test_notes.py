"""`kill -9` while something is remembered: one note, and its author is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.bot_messages import finals
from tests.support.promises import kept_in
from tests.support.rows import FILE, is_settled, look_into
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST

POINTS = {"it can be found": "write:publish:after:1", "its author was told": "slack:chat.postMessage:after:1"}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
async def test_a_bot_killed_while_it_remembers_something_has_it_once_and_says_so_once(
    point: str, tmp_path: Path
) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=[point]) as bot,
    ):
        await slack.until(lambda: slack.sockets.connections, 60)
        asked = await slack.say("alice", "#general", "@parley Remember that the release is on Fridays")
        await slack.until(lambda: bot.lives == 2 and is_settled(tmp_path), 90)
        assert [text[:15] for text in finals(slack, "#general", asked)] == ["I will remember"]
        await kept_in(tmp_path, slack, model)
        await bot.end()
    with look_into(tmp_path / FILE) as tx:
        assert [row["state"] for row in tx.all("select state from documents")] == ["searchable"]
        assert len(tx.all("select 1 from audit where act = 'document added'")) == 1
