"""Rows of the fault table about hours in which there is more to do than usual."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.core.values import Conversation
from bot.privacy import portions, retention
from storage.conversation import messages
from storage.engine import Tx
from storage.privacy.retention import list_messages
from tests.support.promises import kept
from tests.support.workspace import workspace

ANSWER = "The answer, word for word, in one piece."
OLD = 1500


def say_long_ago(tx: Tx, team: str) -> None:
    for n in range(OLD):
        place = Conversation(team, "C0OLD", str(n % 50))
        messages.append(tx, place, role="human", message=f"old {n}", person="U1", text="a word", now=1.0)


# Row 60: thousands of messages are due at once


async def test_row_60_answers_come_while_thousands_of_messages_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST", "SMALLEST", "LARGEST"):
        monkeypatch.setattr(portions, name, 5)
    async with workspace(tmp_path, PARLEY_KEEP_MESSAGES_DAYS="30") as team:
        engine = team.bot.services.engine
        await engine.write(say_long_ago, team.slack.team)
        expiring = asyncio.create_task(retention.erase_due(engine, team.bot.settings, now=1e8))
        team.model.script(ANSWER)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert not expiring.done(), "it was answered in between"
        erased = await expiring
        assert erased["messages"] == OLD
        assert await engine.read(list_messages, before=1e8) == []
        assert await kept(team) == [ANSWER]
