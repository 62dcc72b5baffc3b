"""What documents could not answer waits for whoever looks after the channel, grouped by what it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handlers.channel.listeners import NOT_YOURS
from handlers.knowledge.windows import TEXT, TITLE
from handlers.unanswered import blocks
from tests.support.guarded_channel import filled, said
from tests.support.workspace import Workspace, workspace

ASKED, OTHERWISE = "Which pension fund do we have?", "which pension fund is it that we have here?"
ELSE = "Who feeds the fish?"


async def opened(team: Workspace, user: str) -> dict[str, Any]:
    """The list, as the command opens it for somebody."""
    await team.slack.command(user, "#general", "/parley", "knowledge unanswered")
    return await filled(team, user)


async def press(team: Workspace, action: str, view: dict[str, Any]) -> None:
    """Presses the first button of a kind."""
    buttons = [e for block in view["blocks"] for e in block.get("elements", ())]
    value = str(next(one["value"] for one in buttons if one.get("action_id") == action))
    await team.slack.press("alice", "", "", action, value=value, view_id=view["id"])


async def test_who_looks_after_a_channel_writes_an_answer_once_and_all_who_asked_for_it_hear_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        _, first = await said(team, ASKED, user="carol")
        _, second = await said(team, OTHERWISE, user="bob")
        await said(team, ELSE, user="bob")
        assert NOT_YOURS in str(await opened(team, "carol"))
        view = await opened(team, "alice")
        assert "Asked 2 times by 2 people" in str(view)
        assert ASKED in str(view)
        assert OTHERWISE in str(view)
        await press(team, blocks.WRITE, view)
        form = await filled(team, depth=2)
        titles = [b["element"].get("initial_value") for b in form["blocks"] if b.get("block_id") == TITLE]
        assert titles[0] in (ASKED, OTHERWISE)
        await team.slack.submit("alice", {TITLE: "Pensions", TEXT: "The pension fund is Larkspur Mutual."})
        for thread in (first, second):
            assert "Larkspur Mutual" in await team.answer("#general", thread, count=2)
        await team.quiet()
        left = await opened(team, "alice")
        assert ASKED not in str(left)
        await press(team, blocks.NOT_OURS, left)
        await team.slack.until(lambda: "Taken off the list: 1" in str(team.slack.modals("alice")[-1]))
        assert blocks.NONE_OPEN in str(team.slack.modals("alice")[-1])
