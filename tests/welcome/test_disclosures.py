"""Telling a person once that this is an AI: the sentence, the rows, and answers that never arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.core import settings_sources
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.welcome.disclosures import SENTENCE, Disclosures, read_sentence
from handlers.welcome.first_answer import disclosing
from storage.database import open_engine
from storage.engine import Engine
from storage.welcome import disclosures as stored
from tests.support.engines import database_url
from tests.support.rows import open_rows

WHO = {"team_id": "T", "user_id": "U1", "channel_id": "C1", "command": "/parley"}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "p.db")) as engine:
        yield engine


@pytest.fixture
def telling(engine: Engine) -> Disclosures:
    return Disclosures(Settings(), engine, clock=lambda: 1.0)


@dataclass
class Answered:
    """What Slack says to a response: its status."""

    status_code: int


class Respond:
    """Takes what is said; refuses it with the statuses that are given, one after the other."""

    def __init__(self, *statuses: int) -> None:
        self.said: list[dict[str, Any]] = []
        self._statuses = list(statuses)

    async def __call__(self, text: str = "", **message: Any) -> Answered:
        self.said.append({"text": text, **message})
        return Answered(self._statuses.pop(0) if self._statuses else 200)


async def says_hello(body: dict[str, Any], respond: Any) -> None:
    await respond("hello")


async def says_nothing(body: dict[str, Any], respond: Any) -> None:
    pass


async def breaks(body: dict[str, Any], respond: Any) -> None:
    raise ValueError("broken")


async def test_an_answer_that_slack_refused_has_told_nobody(engine: Engine, telling: Disclosures) -> None:
    respond = Respond(404)
    for _ in range(3):
        await disclosing(says_hello, telling)(body=WHO, respond=respond)
    assert [SENTENCE in str(message) for message in respond.said] == [True, True, False]


async def test_who_was_told_nothing_because_it_broke_is_told_next_time(telling: Disclosures) -> None:
    respond = Respond()
    with pytest.raises(ValueError, match="broken"):
        await disclosing(breaks, telling)(body=WHO, respond=respond)
    await disclosing(says_hello, telling)(body=WHO, respond=respond)
    assert SENTENCE in str(respond.said)


async def test_an_answer_keeps_its_words_and_its_blocks(telling: Disclosures) -> None:
    respond = Respond()
    await disclosing(says_hello, telling)(body=WHO, respond=respond)
    (message,) = respond.said
    assert message["text"] == f"hello\n{SENTENCE}"
    assert [block["type"] for block in message["blocks"]] == ["section", "context"]


async def test_where_nothing_is_said_the_sentence_stands_alone(engine: Engine, telling: Disclosures) -> None:
    respond = Respond()
    for _ in range(2):
        await disclosing(says_nothing, telling)(body=WHO, respond=respond)
    (message,) = respond.said
    assert message["text"] == SENTENCE
    assert await engine.read(stored.is_told, "T", "U1")


async def test_an_answer_is_given_also_when_nobody_can_look_up_who_was_told(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "p.db")) as engine:
        telling = Disclosures(Settings(), engine, clock=lambda: 1.0)
    respond = Respond()
    await disclosing(says_hello, telling)(body=WHO, respond=respond)
    (message,) = respond.said
    assert SENTENCE in str(message), "rather twice than never"


def test_the_same_answer_is_the_first_however_often_it_is_asked_and_no_other_is(tmp_path: Path) -> None:
    with open_rows(tmp_path / "rows.db") as tx:

        def claim(source: str, person: str = "U1", team: str = "T") -> bool:
            return stored.claim(tx, team, person, channel="C", source=source, now=1.0)

        assert [claim("one"), claim("two"), claim("one")] == [True, False, True]
        assert [claim("two", person="U2"), claim("two", team="T2")] == [True, True]
        stored.take_back(tx, "T", "U1", source="two", now=2.0)
        assert not claim("two"), "the first one still tells it"
        stored.take_back(tx, "T", "U1", source="one", now=2.0)
        assert [claim("two"), claim("one")] == [True, False]


def test_an_invitation_is_no_answer(tmp_path: Path) -> None:
    with open_rows(tmp_path / "rows.db") as tx:
        stored.note(tx, "T", "U1", stored.INVITATION, channel="D1", source="joined:1", now=1.0)
        assert stored.claim(tx, "T", "U1", channel="C", source="one", now=2.0)


@pytest.mark.parametrize("own", ["", "  ", "\n", "…", "\u2060"])
def test_words_that_say_nothing_are_replaced_by_ours(own: str) -> None:
    assert read_sentence(Settings(disclosure=own)) == SENTENCE


def test_own_words_are_one_line() -> None:
    assert read_sentence(Settings(disclosure=" 私はAIです。\n  間違えます。 ")) == "私はAIです。 間違えます。"


def test_own_words_that_are_too_long_for_a_line_are_refused_at_the_start() -> None:
    with pytest.raises(SetupError) as refused:
        settings_sources.load({"PARLEY_DISCLOSURE": "x" * 301})
    assert refused.value.problems == ["PARLEY_DISCLOSURE: longer than 300 characters"]
