"""What documents could not answer waits for whoever looks after the channel, grouped by what it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handlers.channel.listeners import NOT_YOURS
from handlers.knowledge.windows import TITLE
from handlers.unanswered import blocks
from tests.support.guarded_channel import PURPOSE, filled, said, save
from tests.support.workspace import Workspace, workspace

ASKED = "which oven do I need for a pizza?"
OTHERWISE = "Which oven does a pizza need?"


async def opened(team: Workspace, user: str) -> dict[str, Any]:
    """The list, as the command opens it for somebody."""
    await team.slack.command(user, "#general", "/parley", "knowledge unanswered")
    return await filled(team, user)


def value_of(view: dict[str, Any], action: str) -> str:
    """What the first button of a kind carries."""
    buttons = [e for block in view["blocks"] for e in block.get("elements", ())]
    return str(next(one["value"] for one in buttons if one.get("action_id") == action))


async def test_who_looks_after_a_channel_sees_what_it_could_not_answer_and_writes_the_answer(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        await save(team, purpose=PURPOSE, shadow="false", context_only="true", passages="Salads are cold.")
        await said(team, ASKED, user="alice")
        await said(team, OTHERWISE, user="bob")
        assert NOT_YOURS in str(await opened(team, "carol"))
        view = await opened(team, "alice")
        assert "Asked 2 times by 2 people" in str(view)
        assert ASKED in str(view)
        assert OTHERWISE in str(view)
        topic = value_of(view, blocks.WRITE)
        await team.slack.press("alice", "", "", blocks.WRITE, value=topic, view_id=view["id"])
        form = await filled(team, depth=2)
        titles = [b["element"].get("initial_value") for b in form["blocks"] if b.get("block_id") == TITLE]
        assert titles[0] in (ASKED, OTHERWISE)
        assert json.loads(form["private_metadata"])["repairs"] == int(topic)
        await team.slack.close_modal("alice")
        await team.slack.press("alice", "", "", blocks.NOT_OURS, value=topic, view_id=view["id"])
        await team.slack.until(lambda: "Taken off the list: 2" in str(team.slack.modals("alice")[-1]))
        assert blocks.NONE_OPEN in str(team.slack.modals("alice")[-1])
