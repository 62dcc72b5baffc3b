"""Which posts of a thread were written before we were called into it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.conversation.questions import MESSAGE, find_overtaken, pass_over, takes_part
from bot.core.codec import encode
from bot.core.ids import message_key
from bot.core.values import Conversation, Incoming
from storage.conversation import messages, passed_over
from storage.database import open_engine
from storage.engine import Tx
from storage.jobs import inbox
from tests.support.engines import database_url

PLACE = Conversation("T", "C", "1795971300.000001")
CALL = "1795971300.000050"


def post(message: str) -> Incoming:
    key = message_key("T", "C", message)
    return Incoming(key, PLACE, "U", message, "words", datetime(2026, 11, 29, tzinfo=UTC))


def remember(tx: Tx, message: str, role: str) -> None:
    messages.append(tx, PLACE, role=role, message=message, person="U", text="words", now=1)


@pytest.mark.parametrize(
    ("message", "ours"),
    [("1795971300.000049", False), ("1795971300.000051", True), (f"m:T:C:{CALL}:1795971301.000000", True)],
)
async def test_until_the_call_is_answered_it_is_what_stands_before_the_call(
    tmp_path: Path, message: str, ours: bool
) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        call = post(CALL)
        await engine.write(inbox.put, call.key, PLACE.key, MESSAGE, encode(call), now=1)
        assert await engine.read(takes_part, replace(post(message), message=message)) is ours


async def test_a_call_that_is_delivered_late_counts_from_when_it_was_posted(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for call in (post(CALL), post(PLACE.thread)):
            await engine.write(inbox.put, call.key, PLACE.key, MESSAGE, encode(call), now=1)
        assert await engine.read(takes_part, post("1795971300.000049"))


@pytest.mark.parametrize(("message", "ours"), [("1795971300.000009", False), ("1795971300.000051", True)])
async def test_then_it_is_what_stands_before_all_that_was_read_of_the_thread(
    tmp_path: Path, message: str, ours: bool
) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for id, role in (("1795971300.000010", "human"), (CALL, "human"), ("r-1", "assistant")):
            await engine.write(remember, id, role)
        assert await engine.read(takes_part, post(message)) is ours


async def test_in_a_thread_of_others_we_take_no_part(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        assert not await engine.read(takes_part, post(CALL))


@pytest.mark.parametrize(
    ("passed", "found"), [("1795971300.000049", ""), ("1795971300.000051", "1795971300.000051")]
)
async def test_a_mention_that_comes_late_finds_what_was_posted_after_it_and_came_before(
    tmp_path: Path, passed: str, found: str
) -> None:
    mention = replace(post(CALL), sent_at=datetime.fromtimestamp(float(CALL), UTC))
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await engine.write(pass_over, post(passed), now=1)
        assert await engine.read(find_overtaken, mention) == found


async def test_the_newest_post_that_was_passed_over_counts_and_goes_after_a_day(tmp_path: Path) -> None:
    def scene(tx: Tx) -> str:
        for message in ("1795971300.000052", "1795971300.000053", "1795971300.000051"):
            pass_over(tx, post(message), now=0)
        assert passed_over.tidy(tx, now=25 * 3600) == 0
        newest = passed_over.find(tx, PLACE.key)
        assert passed_over.tidy(tx, now=27 * 3600) == 1
        return newest

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        assert await engine.write(scene) == "1795971300.000053"


async def test_nothing_is_passed_over_in_a_thread_of_ours_or_at_the_head_of_one(tmp_path: Path) -> None:
    def scene(tx: Tx) -> str:
        pass_over(tx, post(PLACE.thread), now=1)
        remember(tx, CALL, "human")
        pass_over(tx, post("1795971300.000051"), now=1)
        return passed_over.find(tx, PLACE.key)

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        assert await engine.write(scene) == ""
