"""`kill -9` while refused questions are asked again: whoever asked hears the answer, and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.knowledge.quotes import REFUSAL
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.knowledge import windows
from handlers.unanswered import blocks
from tests.support.bot_messages import finals
from tests.support.promises import kept_in
from tests.support.rows import FILE, is_settled, look_into
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST

ASKED = {"alice": "Which pension fund do we have?", "bob": "Which pension fund do we have, please?"}
ANSWER = "The pension fund that we have is Larkspur Mutual."
# One life ends at each: the document can be found · it was asked, and nothing is written down · the answer is
# written down · it stands in Slack · and the other one.
STEPS = (
    "write:publish:after:1",
    "write:commit:before:1",
    "write:commit:after:1",
    "slack:chat.postMessage:before:1",
    "slack:chat.postMessage:after:1",
)


async def window(slack: FakeSlack, *, depth: int = 1) -> dict[str, Any]:
    def top() -> dict[str, Any] | None:
        views = slack.modals("alice")
        return views[-1] if len(views) == depth and "One moment" not in str(views[-1]) else None

    return await slack.until(top, 90)


async def write_answer(slack: FakeSlack) -> None:
    """The owner writes what answers the first topic of the list."""
    await slack.command("alice", "#general", "/parley", "knowledge unanswered")
    listed = await window(slack)
    elements = (e for block in listed["blocks"] for e in block.get("elements", ()))
    topic = next(e["value"] for e in elements if e.get("action_id") == blocks.WRITE)
    await slack.press("alice", "", "", blocks.WRITE, value=topic, view_id=listed["id"])
    await window(slack, depth=2)
    await slack.submit("alice", {windows.TITLE: "Pensions", windows.TEXT: ANSWER})


async def test_a_bot_killed_at_every_step_of_a_repair_tells_each_asker_once(tmp_path: Path) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=STEPS, PARLEY_DOCUMENTS="only") as bot,
    ):
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        threads = {
            user: await slack.say(user, "#general", f"@parley {words}") for user, words in ASKED.items()
        }
        for thread in threads.values():
            await slack.until(lambda thread=thread: finals(slack, "#general", thread) == [REFUSAL], 90)
        await write_answer(slack)
        await slack.until(lambda: bot.lives == len(STEPS) + 1 and is_settled(tmp_path), 90)
        await kept_in(tmp_path, slack, model, unseen=bot.lives - 1)
        await bot.end()
        for user, thread in threads.items():
            refusal, answer = finals(slack, "#general", thread)
            assert refusal == REFUSAL
            assert answer.startswith(f"<@{slack.user(user)}>")
            assert "Larkspur Mutual" in answer
        with look_into(tmp_path / FILE) as tx:
            told = tx.all("select outcome from guard_unanswered")
        assert [row["outcome"] for row in told] == ["answered", "answered"]
