"""A session exported from the sandbox, done again with a bot that was not there: the file is a fixture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.sandbox.slack.people.acts import VERSION
from bot.sandbox.slack.server import FakeSlack
from tests.support.workspace import workspace

SESSION: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "sessions" / "first_minutes.json").read_text("utf-8")
)


def roots(slack: FakeSlack, channel: str) -> list[dict[str, Any]]:
    """What people began in a channel, oldest first."""
    messages = slack.workspace.channels[channel].messages.values()
    return [m for m in messages if m.get("thread_ts", m["ts"]) == m["ts"]]


def as_done(acts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was done, whenever that was."""
    return [{name: act[name] for name in ("act", "arguments")} for act in acts]


async def test_an_exported_session_is_done_again_and_answered_anew(tmp_path: Path) -> None:
    assert SESSION["version"] == VERSION
    async with workspace(tmp_path) as team:
        assert await team.slack.replay(SESSION) == len(SESSION["acts"])
        await team.quiet()
        general, support = (team.slack.workspace.channel_names()[name] for name in ("general", "support"))
        asked, lunch = (m for m in roots(team.slack, general))
        assert "Thursday" in (await team.answer("#general", asked["ts"], count=2))
        assert (lunch["text"], lunch["reactions"][0]["name"]) == ("Lunch at noon?", "thumbsup")
        (judged,) = [d for d in team.slack.deliveries if d.kind == "interactive"]
        assert judged.payload["actions"][0]["value"].startswith("1:"), "the good side of the button"
        assert "This month" in team.slack.ephemerals("alice")[-1]["text"]
        (lasagne,) = roots(team.slack, support)
        assert await team.answer("#support", lasagne["ts"])


async def test_what_one_session_did_the_next_does_the_same(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.slack.replay(SESSION)
        await team.quiet()
        assert as_done(team.slack.export()["acts"]) == as_done(SESSION["acts"])
