"""More than Slack takes, or more than we did while we were away: told once, never looked for twice."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from handlers.reply import lateness
from tests.support.promises import kept
from tests.support.workspace import Workspace, is_final, text_of, workspace

SHORT = "A short answer."
LATE_LIMIT = {"PARLEY_MESSAGE_AGE_LIMIT_S": "1.0", "PARLEY_PARALLEL_TURNS": "1"}


async def hold_up(team: Workspace) -> None:
    """One question elsewhere, at which the only place is busy until what is asked meanwhile is too old."""
    before = len(team.model.requests)
    team.model.script("held up", match="hold", first_token_s=2.0)
    await team.ask("@parley hold the place", channel="#support", user="carol")
    await team.slack.until(lambda: len(team.model.requests) > before)


def posted(team: Workspace, channel: str) -> list[dict[str, object]]:
    there = team.slack.workspace.channels[team.slack.channel(channel)].messages.values()
    return [m for m in there if is_final(m)]


async def test_questions_of_a_channel_that_got_too_old_are_told_of_with_one_message(tmp_path: Path) -> None:
    async with workspace(tmp_path, **LATE_LIMIT) as team:
        await hold_up(team)
        for n in range(6):
            await team.ask(f"@parley question {n}", user=("alice", "bob")[n % 2])
        await team.slack.until(lambda: posted(team, "#general"))
        await team.quiet()
        (notice,) = posted(team, "#general")
        assert "thread_ts" not in notice
        assert re.search(r"6 questions here got too old .* 0 minutes ago", text_of(notice))
        assert len(team.model.requests) == 1
        await kept(team)


async def test_questions_of_a_thread_that_got_too_old_are_told_of_with_one_reply(tmp_path: Path) -> None:
    async with workspace(tmp_path, **LATE_LIMIT) as team:
        team.model.script(SHORT, match="start", times=1)
        thread = await team.ask("@parley start")
        await team.answer("#general", thread)
        await hold_up(team)
        for n, user in enumerate(("alice", "bob", "carol")):
            await team.ask(f"@parley and {n}", thread=thread, user=user)
        text = await team.answer("#general", thread, count=2)
        assert "2 more messages" in text
        await team.quiet()
        assert len(team.said("#general", thread)) == 2


async def test_what_slack_refused_for_its_rate_is_posted_when_it_may_and_never_looked_for(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(SHORT, times=0)
        team.slack.faults.add("chat.postMessage", status=429, retry_after_s=0, times=4)
        threads = [await team.ask(f"@parley hello {n}") for n in range(3)]
        for thread in threads:
            await team.answer("#general", thread)
        assert not team.slack.counts["conversations.replies"]
        await kept(team)


async def test_a_question_that_waits_to_read_its_thread_holds_up_nobody(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_PARALLEL_TURNS="1") as team:
        team.slack.faults.add("conversations.replies", status=429, retry_after_s=4)
        thread = await team.ask("how it began", user="bob")
        await team.ask("@parley and then?", thread=thread)
        await team.slack.until(lambda: team.slack.refused["conversations.replies"])
        other = await team.ask("@parley what else?", user="carol")
        await team.answer("#general", other)
        assert not team.replies("#general", thread)
        await team.answer("#general", thread)


async def test_a_quick_answer_shows_nobody_at_work(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(SHORT, times=0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert not team.slack.counts["agents.sessions.setStatus"]


async def test_who_waited_for_slack_is_told_how_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lateness, "LATE_S", 0.5)
    monkeypatch.setattr(lateness, "LONG_S", 0.5)
    async with workspace(tmp_path) as team:
        team.model.script(SHORT, times=0)
        team.slack.faults.add("chat.postMessage", status=429, retry_after_s=1)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (shown,) = team.replies("#general", thread)
        assert "Sorry for the wait: you asked this 0 minutes ago." in str(shown["blocks"])
        await asyncio.sleep(0)
        await kept(team)


@pytest.mark.parametrize(
    ("waited_s", "told"),
    [(59, ""), (61, "Sorry for the wait."), (1500, "Sorry for the wait: you asked this 25 minutes ago.")],
)
def test_a_long_wait_is_told_with_its_length(waited_s: float, told: str) -> None:
    assert lateness.find_apology(waited_s) == told
