"""More of Slack's part in the fault table: refusals of every kind, disorder, and repeats from long ago."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from bot.conversation.turn import CUT
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.reply.traces import UNREACHABLE
from handlers.slack import client
from storage.engine import Tx
from storage.jobs import inbox, queries
from tests.support.promises import kept, ours
from tests.support.workspace import MANIFEST, started, workspace

ANSWER = "The answer, word for word, in one piece."
LONG = "word " * 60
PARAGRAPHS = "\n\n".join(f"Paragraph {n}: " + "many words " * 40 for n in range(30))


@pytest.fixture(autouse=True)
def quick_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake Slack reads its own writes at once."""
    monkeypatch.setattr("handlers.slack.own_messages.LOOK_AFTER_S", 0.02)


def letters(texts: list[str]) -> str:
    return "".join("".join(texts).split())


# Row 15: taken, and never confirmed in time


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.startStream", "chat.stopStream", "chat.update"])
async def test_row_15_what_slack_took_and_confirms_too_late_is_not_repeated(
    tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUEST_DEADLINE_S", 0.5)
    async with workspace(tmp_path) as team:
        slow = {} if method == "chat.postMessage" else {"tokens_per_s": 60}
        team.model.script(LONG, **slow)
        if method == "chat.update":
            team.slack.faults.add("chat.stopStream", error="message_not_in_streaming_state")
        team.slack.faults.add(method, accepted=True, hold_s=2.0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [LONG.strip()]
        assert len(ours(team.slack)) == len(team.model.requests) == 1


# Row 16: more than Slack takes


@pytest.mark.parametrize("length", [11_999, 12_001, 39_999, 40_001, 90_000])
async def test_row_16_an_answer_of_any_length_comes_whole(tmp_path: Path, length: int) -> None:
    answer = ("Some words of an answer, and then some more.\n\n" * 5_000)[:length]
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script(answer)
        thread = await team.ask("@parley write a book")
        await team.answer("#general", thread)
        assert letters(await kept(team)) == letters([answer])


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.stopStream"])
async def test_row_16_an_answer_whose_blocks_slack_does_not_take_comes_without_them(
    tmp_path: Path, method: str, code: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(LONG, **({"tokens_per_s": 60} if method == "chat.stopStream" else {}))
        team.model.faults.add("length")
        for refused in (method, "chat.update"):
            team.slack.faults.add(refused, error=code)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert said.startswith("word word")
        assert CUT["length"] in json.dumps(team.replies("#general", thread)), "the note is not lost either"


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_row_16_what_slack_calls_too_long_comes_in_smaller_parts(tmp_path: Path, method: str) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="30000") as team:
        team.model.script(PARAGRAPHS)
        if method == "chat.update":
            team.slack.faults.add("chat.postMessage", accepted=True, lose_response=True)
        team.slack.faults.add(method, error="msg_too_long")
        thread = await team.ask("@parley write a book")
        await team.answer("#general", thread)
        parts = await kept(team)
        assert letters(parts) == letters([PARAGRAPHS])
        if method == "chat.postMessage":  # else the next attempt finds that Slack takes it after all
            assert max(map(len, parts)) <= 3_000


# Row 17: nowhere to write


@pytest.mark.parametrize("code", sorted(UNREACHABLE))
async def test_row_17_every_code_that_closes_a_place_leads_to_a_private_answer(
    tmp_path: Path, code: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        where = {"channel": team.slack.channel("#general")}
        for method in ("chat.*", "agents.*", "assistant.*"):
            team.slack.faults.add(method, error=code, for_s=60, where=where)
        root = await team.slack.say("bob", "#general", "a thread")
        await team.ask("@parley hello", thread=root)
        await team.slack.until(lambda: team.calls("conversations.open"))
        (said,) = await kept(team, shut=True)
        assert ANSWER in said
        assert len(team.model.requests) == 1


# Row 18: the app is removed


@pytest.mark.parametrize("uninstalled", ["keep", "erase"])
async def test_row_18_an_app_that_is_removed_in_mid_answer_says_nothing_more(
    tmp_path: Path, uninstalled: str
) -> None:
    async with workspace(tmp_path, PARLEY_UNINSTALLED=uninstalled) as team:
        team.model.script(ANSWER, first_token_s=0.5, times=0)
        await team.ask("@parley hello")
        await team.slack.until(lambda: team.model.requests)
        team.slack.uninstall()
        await team.slack.until(lambda: all(d.acked for d in team.slack.deliveries))
        await asyncio.sleep(1.0)
        assert not ours(team.slack)
        rows = await team.bot.services.engine.read(queries.depth)
        assert (rows["waiting"] == 0) is (uninstalled == "erase")


# Row 19: scopes


@pytest.mark.parametrize(
    "method",
    ["agents.sessions.setStatus", "chat.startStream", "chat.appendStream", "users.info"],
)
async def test_row_19_without_a_scope_the_answer_comes_all_the_same(
    tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(LONG, first_token_s=0.2, tokens_per_s=60)
        team.slack.faults.add(method, error="missing_scope", for_s=60)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [LONG.strip()]
        assert ("scope missing" in caplog.text) is (team.slack.counts[method] > 0)


# Row 20: streams that end


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("code", ["streaming_state_conflict", "message_not_in_streaming_state"])
async def test_row_20_whenever_a_stream_ends_the_whole_answer_stands_there_once(
    tmp_path: Path, method: str, code: str
) -> None:
    for after in (0, 1):
        (tmp_path / str(after)).mkdir()
        async with workspace(tmp_path / str(after)) as team:
            team.model.script(LONG, tokens_per_s=40)
            team.slack.faults.add(method, error=code, after=after)
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            assert await kept(team) == [LONG.strip()]


# Row 24: repeats from long ago


def others(tx: Tx, *, first: int, count: int, at: float) -> None:
    """So many messages of other conversations, worked long ago."""
    for n in range(first, first + count):
        inbox.put(tx, f"m:T0SANDBOX1:C0OTHER:{n}.0", f"other {n}", "message", "{}", now=at)
        inbox.cancel(tx, f"m:T0SANDBOX1:C0OTHER:{n}.0", now=at)


def aged(tx: Tx, *, by_s: float) -> None:
    tx.run("update inbox set received_at = received_at - :by, done_at = done_at - :by", by=by_s)


async def delivered_again(slack: FakeSlack) -> None:
    for delivery in [d for d in slack.deliveries if d.kind == "events_api"]:
        await slack.push(delivery.kind, delivery.payload, slack.team).wait_finished()


async def test_row_24_after_25_000_others_a_repeat_is_still_known(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        await team.quiet()
        for first in range(0, 25_000, 1_000):
            await team.bot.services.engine.write(others, first=first, count=1_000, at=time.time())
        await delivered_again(team.slack)
        assert len(await kept(team, cancelled=25_000)) == 1
        assert len(team.model.requests) == 1


@pytest.mark.parametrize("by_s", [301, 24 * 3_600])
async def test_row_24_a_repeat_after_minutes_or_a_day_is_still_known(tmp_path: Path, by_s: int) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            await team.quiet()
            await team.bot.services.engine.write(aged, by_s=by_s)
        async with started(slack, model, tmp_path) as team:  # housekeeping runs at the start
            await delivered_again(slack)
            assert len(await kept(team)) == 1
            assert len(model.requests) == 1


# Row 26: disorder


async def test_row_26_a_reply_that_arrives_before_its_parent_is_answered_in_its_thread(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        for name in ("message", "app_mention"):
            team.slack.faults.deliver(name, delay_s=0.5)
        thread = await team.ask("@parley the parent")
        # Of somebody else: both of one person's may be one question, and have one answer.
        await team.ask("@parley the reply", thread=thread, user="bob")
        await team.answer("#general", thread, count=2)
        assert len(await kept(team)) == 2
        assert all(message["thread_ts"] == thread for message in ours(team.slack))
