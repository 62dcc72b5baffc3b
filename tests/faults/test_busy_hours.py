"""Rows of the fault table about hours in which there is more to do than usual, or things come late."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bot.core.values import Conversation
from bot.privacy import portions, retention
from storage.conversation import messages
from storage.engine import Tx
from storage.privacy.retention import list_messages
from tests.support.promises import kept, ours
from tests.support.workspace import workspace

ANSWER = "The answer, word for word, in one piece."
OLD = 1500
DAY_S = 86_400.0


def say_long_ago(tx: Tx, team: str) -> None:
    for n in range(OLD):
        place = Conversation(team, "C0OLD", str(n % 50))
        yesterday = time.time() - DAY_S
        messages.append(
            tx, place, role="human", message=f"old {n}", person="U1", text="a word", now=yesterday
        )


# Row 60: thousands of messages are due at once


async def test_row_60_answers_come_while_thousands_of_messages_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST", "SMALLEST", "LARGEST"):
        monkeypatch.setattr(portions, name, 5)
    async with workspace(tmp_path, PARLEY_KEEP_MESSAGES_DAYS="30") as team:
        engine = team.bot.services.engine
        await engine.write(say_long_ago, team.slack.team)
        later = time.time() + 29.5 * DAY_S
        expiring = asyncio.create_task(retention.erase_due(engine, team.bot.settings, now=later))
        team.model.script(ANSWER)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert not expiring.done(), "it was answered in between"
        erased = await expiring
        assert erased["messages"] == OLD
        assert await engine.read(list_messages, before=later - 30 * DAY_S) == []
        assert await kept(team) == [ANSWER]


# Row 61: more waits than Slack takes


async def test_row_61_a_backlog_above_slacks_limits_drains_as_slack_takes_it(tmp_path: Path) -> None:
    limited = {"rate_limits": True}
    async with workspace(tmp_path, slack=limited, PARLEY_STREAMS_PER_MINUTE="20") as team:
        team.model.script(ANSWER, times=0)
        for n in range(12):
            await team.ask(f"@parley question {n}", channel=("#general", "#support", "#finance")[n % 3])
        assert await kept(team) == [ANSWER] * 12
        assert not team.slack.counts["conversations.replies"], "nothing of ours can stand anywhere"
        assert team.slack.refused.total() <= 3, "a few posts come less than a second after another"
        assert not team.slack.processing


# Row 62: Slack's history is behind


async def test_row_62_a_post_that_the_history_does_not_show_yet_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.slack.own_messages.LOOK_AFTER_S", 0.05)  # when it shows nothing for sure
    async with workspace(tmp_path, slack={"history_lag_s": 2.5}) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.postMessage", lose_response=True)
        await team.ask("@parley hello")
        assert await kept(team) == [ANSWER]
        assert len(ours(team.slack)) == 1


# Row 63: what follows a mention arrives before it


async def test_row_63_what_overtook_its_mention_is_answered_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        for event in ("message", "app_mention"):
            team.slack.faults.deliver(event, delay_s=0.6)
        team.slack.faults.add("conversations.replies", status=503, times=0)  # until the mention is answered
        team.model.script("The first answer.", match="the first question", times=1)
        team.model.script("The second answer.", match="the second", times=1)
        thread = await team.ask("@parley the first question?")
        await team.ask("and the second one?", thread=thread)
        await team.answer("#general", thread)
        team.slack.faults.clear()
        await team.answer("#general", thread, count=2)
        assert await kept(team) == ["The first answer.", "The second answer."]
