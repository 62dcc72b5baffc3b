"""Posts that arrive before the mention they follow, which Slack delivers again later because we were away."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.engine import Tx
from tests.support.workspace import Workspace, workspace

AWAY_S = 0.6
MENTION = "what is Ghent?"
LATER = "who lives there?"


async def overtake(team: Workspace, *later: str, user: str = "alice") -> str:
    """Alice mentions us, which arrives after all that is posted in the thread meanwhile; the thread."""
    team.slack.faults.deliver("app_mention", delay_s=AWAY_S)
    team.slack.faults.deliver("message", delay_s=AWAY_S)
    thread = await team.ask(f"@parley {MENTION}")
    for text in later:
        await team.ask(text, thread=thread, user=user)
    return thread


def asked(team: Workspace, text: str) -> int:
    """In how many requests something was asked."""
    return sum(text in request.prompt for request in team.model.requests)


async def questions(team: Workspace) -> list[str]:
    """The keys of all posts that were taken for questions."""

    def keys(tx: Tx) -> list[str]:
        return [row["key"] for row in tx.all("select key from inbox where kind = 'message' order by seq")]

    return await team.bot.services.engine.read(keys)


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_what_overtook_its_mention_is_asked_once_with_it_and_not_when_it_is_delivered_again(
    tmp_path: Path, transport: str
) -> None:
    environ = {"SLACK_APP_TOKEN": ""} if transport == "http" else {}
    async with workspace(tmp_path, slack={"retry_delays_s": (0.1, 2 * AWAY_S)}, **environ) as team:
        team.slack.faults.deliver("message", lose_acks=2, after=1)
        thread = await overtake(team, LATER, "and how many are they?")
        await team.slack.until(lambda: asked(team, "how many"))
        await team.quiet()
        prompt = team.model.requests[-1].prompt
        assert prompt.index(MENTION) < prompt.index(LATER) < prompt.index("how many")
        assert len(await questions(team)) == 3
        assert len(team.said("#general", thread)) == len(team.model.requests)


async def test_what_overtook_a_mention_that_is_answered_already_is_asked_after_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.add("conversations.replies", status=503, times=0)
        team.model.script("A town.", match=MENTION)
        team.model.script("Its people.", match=LATER)
        thread = await overtake(team, LATER)
        assert await team.answer("#general", thread) == "A town."
        team.slack.faults.clear()
        assert await team.answer("#general", thread, count=2) == "Its people."
        await team.quiet()
        assert len(team.model.requests) == 2


async def test_what_others_wrote_what_was_deleted_and_what_mentions_us_is_not_asked_for_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.deliver("app_mention", delay_s=AWAY_S)
        team.slack.faults.deliver("message", delay_s=AWAY_S)
        thread = await team.ask(f"@parley {MENTION}")
        await team.ask("a word of bob's, said to nobody?", thread=thread, user="bob")
        slip = await team.slack.say("alice", "#general", "a slip?", thread_ts=thread)
        await team.slack.delete("alice", "#general", slip)
        await team.ask("@parley and this?", thread=thread)
        await team.slack.until(lambda: asked(team, "and this?") and asked(team, MENTION))
        await team.quiet()
        assert asked(team, "a slip?") == 0
        assert len(team.said("#general", thread)) <= 2
        assert len(await questions(team)) == 2


async def test_a_late_mention_that_nothing_overtook_costs_no_look_into_its_thread(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await overtake(team)
        await team.answer("#general", thread)
        await team.ask(LATER, thread=thread)
        await team.answer("#general", thread, count=2)
        await team.quiet()
        assert not team.calls("conversations.replies")


async def test_a_history_that_lags_behind_is_read_again(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack={"history_lag_s": 1.5}) as team:
        thread = await overtake(team, LATER)
        await team.slack.until(lambda: asked(team, LATER))
        await team.quiet()
        assert len(await questions(team)) == 2
        assert len(team.said("#general", thread)) == len(team.model.requests)
