"""`kill -9` while people who know are asked and answer: all of that happens once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.knowledge.quotes import REFUSAL
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.channel.form import PEOPLE
from handlers.unanswered.people import ASK, NEWEST
from tests.support.bot_messages import finals
from tests.support.promises import kept_in
from tests.support.rows import FILE, is_settled, look_into
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST

QUESTION = "Which pension fund do we have?"
ANSWER = "The pension fund that we have is Larkspur Mutual."
# One life ends at each: that people are to be asked is written down · they are asked · a reply is confirmed ·
# its answer is on its way · it stands in Slack.
STEPS = (
    "write:ask:after:1",
    "slack:chat.postMessage:after:1",
    "write:confirm:after:1",
    "write:tell:after:1",
    "slack:chat.postMessage:after:1",
)


async def name_carol(slack: FakeSlack) -> None:
    def shown() -> bool:
        views = slack.modals("alice")
        return bool(views) and "One moment" not in str(views[-1])

    await slack.command("alice", "#general", "/parley", "settings")
    await slack.until(shown, 90)
    await slack.submit("alice", {PEOPLE: [slack.user("carol")]})
    await slack.until(lambda: "Saved" in str(slack.modals("alice")), 90)


def asking(slack: FakeSlack, thread: str) -> list[dict[str, Any]]:
    return [one for one in slack.thread("#general", thread) if NEWEST in str(one)]


async def test_a_bot_killed_at_every_step_asks_people_once_and_tells_the_asker_once(tmp_path: Path) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=STEPS, PARLEY_DOCUMENTS="only") as bot,
    ):
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        greeted = await slack.say("alice", "#general", "@parley hello")
        await slack.until(lambda: finals(slack, "#general", greeted), 90)
        await name_carol(slack)
        thread = await slack.say("bob", "#general", f"@parley {QUESTION}")
        await slack.until(lambda: any(ASK in str(one) for one in slack.ephemerals("bob")), 90)
        refusal = next(one for one in slack.ephemerals("bob") if ASK in str(one))
        await slack.press("bob", "#general", refusal["ts"], ASK)
        await slack.until(lambda: bot.lives == 3 and asking(slack, thread) and is_settled(tmp_path), 90)
        await slack.say("carol", "#general", ANSWER, thread_ts=thread)
        (asked,) = asking(slack, thread)
        await slack.press("carol", "#general", asked["ts"], NEWEST)
        await slack.until(lambda: bot.lives == len(STEPS) + 1 and is_settled(tmp_path), 90)
        await kept_in(tmp_path, slack, model, unseen=bot.lives - 1)
        await bot.end()
        assert len(asking(slack, thread)) == 1
        told = [one for one in finals(slack, "#general", thread) if "Larkspur" in one]
        assert len(told) == 1
        assert told[0].startswith(f"<@{slack.user('bob')}>")
        assert finals(slack, "#general", thread).count(REFUSAL) == 1
        with look_into(tmp_path / FILE) as tx:
            assert [row["outcome"] for row in tx.all("select outcome from guard_unanswered")] == ["answered"]
            notes = tx.all("select person from documents where source = 'note'")
        assert [row["person"] for row in notes] == [slack.user("carol")]
