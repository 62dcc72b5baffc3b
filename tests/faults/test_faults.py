"""The fault table, row by row: what is broken on purpose, and what the person sees all the same.

Each test names its row of RELIABILITY.md. After every fault the promises of tests/support/promises.py hold.
Rows that other test files show already are listed in tests/faults/reliability.py.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.conversation.turn import CUT
from bot.core.errors import ContentFiltered, Credentials, Overloaded, QuotaSpent
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.delivery.dispatch import sign
from bot.sandbox.slack.server import FakeSlack
from handlers.slack import blocks, socket
from storage.engine import Tx
from storage.jobs import inbox
from storage.sqlite import writer as sqlite_writer
from tests.support.engines import database_url
from tests.support.forked import DEVNULL, start_module
from tests.support.promises import ended, jobs, kept, kept_in, ours
from tests.support.served import served
from tests.support.waiting import until
from tests.support.workspace import MANIFEST, Workspace, environment, is_final, started, workspace

ANSWER = "The answer, word for word, in one piece."
LONG = "word " * 60


@pytest.fixture(autouse=True)
def quick_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake Slack reads its own writes at once, and its operator is quick."""
    monkeypatch.setattr("handlers.slack.own_messages.LOOK_AFTER_S", 0.02)
    monkeypatch.setattr("handlers.slack.client.REVOKED_PAUSE_S", 0.5)


async def readiness(team: Workspace) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"{team.bot.ops_url}/readyz") as answer:
        return answer.status, await answer.text()


# Row 11: a restored backup


@pytest.mark.sqlite_file
async def test_row_11_yesterdays_backup_answers_nothing_late_and_leaves_what_was_answered(
    tmp_path: Path,
) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        model.script(ANSWER, times=0)
        async with started(slack, model, tmp_path) as team:
            slack.faults.add("*", status=503, for_s=600)
            answered = await slack.say("alice", "#general", "@parley answered after the backup")
            await slack.until(lambda: model.counters["requests"])
            await team.bot.services.engine.backup(tmp_path / "backup.db")
            slack.faults.clear()
            await team.answer("#general", answered)
            await kept(team)
        os.replace(tmp_path / "backup.db", tmp_path / "parley.db")
        forget_that_it_was_begun(tmp_path / "parley.db")
        async with started(slack, model, tmp_path, PARLEY_MESSAGE_AGE_LIMIT_S="0.1") as team:
            assert await kept(team) == [ANSWER]
            assert len(model.requests) == 1


def forget_that_it_was_begun(path: Path) -> None:
    """As the backup would have it that was made before the work began."""
    db = sqlite3.connect(path)
    db.executescript("update inbox set attempts = 0, running = 0; delete from replies")
    db.close()


# Rows 12–20: Slack answers badly


async def test_row_12_a_rate_limit_delays_its_channel_in_order_and_no_other(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.add("chat.startStream", status=429, times=0)  # so that all is posted
        busy = {"channel": team.slack.channel("#general")}
        team.slack.faults.add("chat.postMessage", status=429, retry_after_s=2, where=busy)
        first = await team.ask("@parley one")
        await team.slack.until(lambda: team.calls("chat.postMessage"))
        other = await team.ask("@parley elsewhere", channel="#support")
        await team.answer("#support", other)
        assert not team.said("#general", first)
        await team.answer("#general", first)
        assert len(await kept(team)) == 2


@pytest.mark.parametrize("header", ["nan", "inf", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "0.01, 0.01"])
async def test_row_13_a_retry_after_that_is_junk_delays_the_answer_and_loses_nothing(
    tmp_path: Path, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.slack.client.RETRY_AFTER_DEFAULT_S", 0.1)
    monkeypatch.setattr("handlers.slack.client.RETRY_AFTER_MOST_S", 0.2)
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.postMessage", status=429, retry_after_s=header)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]


async def test_row_13_twenty_rate_limits_in_a_row_are_waited_out(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.postMessage", status=429, retry_after_s="0.05", times=20)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        assert len(team.model.requests) == 1


async def test_row_14_an_outage_of_slack_is_outlasted_and_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.failures.OUTAGE_S", (0.05, 1.2))
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.postMessage", status=503, html=True, times=8)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        assert len(team.model.requests) == 1


async def test_row_14_a_thread_that_slack_does_not_show_for_a_while_delays_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.failures.OUTAGE_S", (0.05, 1.2))
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        thread = await team.ask("The captain is called Nemo.")
        team.slack.faults.add("conversations.replies", status=503, html=True, times=3)
        team.slack.faults.add("conversations.replies", status=429, retry_after_s=1)
        await team.ask("@parley who is the captain?", thread=thread)
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        assert len(team.model.requests) == 1
        assert "Nemo" in team.model.requests[-1].prompt


async def test_row_14_a_status_that_slack_would_not_take_down_is_taken_down_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.slack.status.AGAIN_S", 0.05)
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER, first_token_s=0.5)
        active = {"status": "active"}
        team.slack.faults.add("agents.sessions.setStatus", status=503, times=2, where=active)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"status": 429, "retry_after_s": 1}, {"html": True}, {"lose_response": True}],
    ids=str,
)
async def test_row_14_a_thread_that_cannot_be_read_just_now_is_read_a_little_later(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        root = await team.slack.say("bob", "#general", "the word is xylophone")
        team.slack.faults.add("conversations.replies", **fault)
        await team.ask("@parley and now?", thread=root)
        await team.answer("#general", root)
        assert await kept(team) == [ANSWER]
        assert "xylophone" in team.model.requests[-1].prompt


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
async def test_row_15_a_streams_request_that_slack_took_and_nobody_confirmed_is_not_repeated(
    tmp_path: Path, method: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(LONG, tokens_per_s=40)
        team.slack.faults.add(method, accepted=True, lose_response=True)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [LONG.strip()]


async def test_row_15_a_lost_answer_to_the_look_into_the_thread_is_asked_for_again(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.postMessage", accepted=True, lose_response=True)
        team.slack.faults.add("conversations.replies", lose_response=True, times=2)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]


@pytest.mark.parametrize(
    "answer", ["x" * 40_001, "```\n" + "code\n" * 9_000, "| a |\n|---|\n" + "| b |\n" * 5_000]
)
async def test_row_16_an_answer_beyond_slacks_limits_comes_in_parts(tmp_path: Path, answer: str) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script(answer)
        thread = await team.ask("@parley write a book")
        await team.answer("#general", thread)
        said = await kept(team)
        assert len(said) > 1
        assert sum(part.count(answer[-7]) for part in said) >= answer.count(answer[-7])


async def test_row_16_a_message_that_slack_calls_too_long_ends_in_words(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.startStream", status=429, times=0)  # so that it is posted
        team.slack.faults.add("chat.postMessage", error="msg_too_long")
        await team.ask("@parley hello")
        assert len(await kept_after_answer(team)) == 1


async def kept_after_answer(team: Workspace) -> list[str]:
    await team.slack.until(lambda: team.slack.counts["chat.postMessage"])
    return await kept(team)


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "is_archived", "restricted_action"])
async def test_row_17_who_asked_where_nothing_can_be_written_is_answered_in_private(
    tmp_path: Path, code: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        where = {"channel": team.slack.channel("#general")}
        team.slack.faults.add("*", error=code, for_s=60, where=where)
        await team.ask("@parley hello")
        await team.slack.until(lambda: team.calls("conversations.open"))
        (said,) = await kept(team, shut=True)
        assert ANSWER in said
        assert len(team.model.requests) == 1


async def test_row_17_a_private_answer_says_as_well_that_it_was_cut(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add("length", times=0)
        where = {"channel": team.slack.channel("#general")}
        team.slack.faults.add("*", error="is_archived", for_s=60, where=where)
        await team.ask("@parley hello")
        await team.slack.until(lambda: team.calls("conversations.open"))
        await kept(team, shut=True)
        assert CUT["length"] in json.dumps(ours(team.slack))


async def test_row_17_an_answer_that_stood_there_before_the_channel_closed_is_not_given_again(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        for method in ("chat.postMessage", "chat.stopStream"):
            team.slack.faults.add(method, accepted=True, lose_response=True)
        where = {"channel": team.slack.channel("#general")}
        team.slack.faults.add("chat.update", error="is_archived", for_s=60, where=where)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]


@pytest.mark.both_engines
async def test_row_17_a_crash_after_the_private_answer_does_not_repeat_it(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        model.script(ANSWER)
        async with started(slack, model, tmp_path) as team:
            where = {"channel": slack.channel("#general")}
            slack.faults.add("*", error="is_archived", for_s=60, where=where)
            slack.faults.add(
                "chat.postMessage", accepted=True, lose_response=True, where={"channel": slack.dm("alice")}
            )
            await team.ask("@parley hello")
            await slack.until(lambda: slack.counts["conversations.open"] >= 2)
            assert len(await kept(team, shut=True)) == 1


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_row_18_a_token_revoked_in_mid_flight_is_one_alert_and_the_answer_waits_for_a_new_one(
    tmp_path: Path, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        model.script(ANSWER, times=0)
        async with started(slack, model, tmp_path) as team:
            slack.faults.add("*", error=code, for_s=600)
            threads = [await team.ask(f"@parley hello {n}") for n in range(3)]
            await slack.until(lambda: slack.counts["chat.postMessage"] >= 3)
            await asyncio.sleep(0.3)
            assert (await readiness(team))[0] == 503
            assert code in (await readiness(team))[1]
            assert len([r for r in caplog.records if "has to be renewed" in r.getMessage()]) == 1
            assert {row["state"] for row in await team.bot.services.engine.read(jobs)} == {"new"}
        slack.faults.clear()
        async with started(slack, model, tmp_path) as team:
            for thread in threads:
                await team.answer("#general", thread)
            assert await kept(team) == [ANSWER] * 3
            assert len(model.requests) == 3


async def test_row_19_a_missing_scope_for_reading_costs_the_threads_past_and_not_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("conversations.replies", error="missing_scope", for_s=60)
        root = await team.slack.say("bob", "#general", "something before")
        await team.ask("@parley and now?", thread=root)
        await team.answer("#general", root)
        (said,) = await kept(team)
        assert ANSWER in said
        assert "scope missing" in caplog.text


@pytest.mark.parametrize(
    "code", ["streaming_state_conflict", "message_not_in_streaming_state", "message_not_found"]
)
async def test_row_20_a_stream_that_slack_ended_is_finished_by_an_edit(tmp_path: Path, code: str) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(LONG, tokens_per_s=30)
        team.slack.faults.add("chat.appendStream", error=code)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [LONG.strip()]


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_row_21_slack_that_is_away_at_the_start_delays_it(
    tmp_path: Path, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "PING_INTERVAL_S", 0.3)
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        slack.faults.add("*", status=503, html=True, for_s=1.0)
        async with started(slack, model, tmp_path, PARLEY_TRANSPORT=transport) as team:
            if transport == "socket":
                await slack.until(lambda: len(slack.sockets.connections) == 2)
            await asyncio.sleep(1.0)
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            assert len(await kept(team)) == 1


async def test_row_21_who_does_not_know_who_it_is_looks_that_up_before_it_looks_for_its_own_posts(
    tmp_path: Path,
) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        model.script(ANSWER)
        async with started(slack, model, tmp_path):
            for method in ("chat.postMessage", "chat.startStream"):
                slack.faults.add(method, accepted=True, lose_response=True)
            slack.faults.add("conversations.replies", status=503, for_s=60)
            await slack.say("alice", "#general", "@parley hello")
            await slack.until(lambda: slack.counts["conversations.replies"])
        slack.faults.clear()
        slack.faults.add("auth.test", status=503)
        async with started(slack, model, tmp_path) as team:
            assert await kept(team) == [ANSWER]


# Row 23: the sockets


@pytest.fixture
def quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "PING_INTERVAL_S", 0.4)


async def reconnected(team: Workspace) -> None:
    await team.slack.until(
        lambda: sum(not c.frozen and not c.retiring for c in team.slack.sockets.connections.values()) == 2, 30
    )


@asynccontextmanager
async def on_sockets(tmp_path: Path) -> AsyncIterator[Workspace]:
    slack = {"ack_deadline_s": 0.5, "retry_delays_s": (0.5, 2.0, 5.0)}
    async with workspace(tmp_path, slack=slack) as team:
        yield team


async def asked_and_answered(team: Workspace, count: int) -> None:
    threads = [await team.ask(f"@parley hello {n}") for n in range(count)]
    for thread in threads:
        await team.answer("#general", thread)
    assert len(await kept(team)) == count


@pytest.mark.usefixtures("quick_pings")
async def test_row_23_both_sockets_dropped_again_and_again_lose_nothing(tmp_path: Path) -> None:
    async with on_sockets(tmp_path) as team:
        for _ in range(30):
            team.slack.sockets.drop()
            await reconnected(team)
        await asked_and_answered(team, 2)


@pytest.mark.usefixtures("quick_pings")
async def test_row_23_a_half_open_socket_is_noticed_and_replaced(tmp_path: Path) -> None:
    async with on_sockets(tmp_path) as team:
        team.slack.sockets.freeze(next(iter(team.slack.sockets.connections)))
        await asked_and_answered(team, 4)
        await reconnected(team)


@pytest.mark.usefixtures("quick_pings")
async def test_row_23_garbage_frames_are_passed_over(tmp_path: Path) -> None:
    async with on_sockets(tmp_path) as team:
        for text in (
            "{not json",
            "[]",
            "null",
            "{}",
            '{"type": 5}',
            '{"envelope_id": 1, "type": "events_api"}',
            "[" * 5000,
        ):
            team.slack.sockets.garbage(text)
        await asked_and_answered(team, 2)


@pytest.mark.usefixtures("quick_pings")
@pytest.mark.parametrize("reason", ["refresh_requested", "link_disabled", "too_many_websockets"])
async def test_row_23_told_to_go_away_it_comes_back(tmp_path: Path, reason: str) -> None:
    async with on_sockets(tmp_path) as team:
        team.slack.sockets.refresh(reason=reason, grace_s=0.2)
        await asked_and_answered(team, 2)
        await reconnected(team)


@pytest.mark.usefixtures("quick_pings")
async def test_row_23_no_new_address_for_a_while_is_waited_out_and_told(tmp_path: Path) -> None:
    async with on_sockets(tmp_path) as team:
        team.slack.faults.add("apps.connections.open", status=503, html=True, times=20)
        team.slack.sockets.drop()
        await team.slack.until(lambda: not team.slack.sockets.connections)
        assert "no socket" in (await readiness(team))[1]
        await reconnected(team)
        assert (await readiness(team))[0] == 200
        await asked_and_answered(team, 1)


@pytest.mark.usefixtures("quick_pings")
async def test_row_23_an_address_that_does_not_work_is_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "ADDRESS_LIFE_S", 0.2)
    async with on_sockets(tmp_path) as team:
        ticket, spoiled = team.slack.sockets.ticket, iter(range(3))
        monkeypatch.setattr(
            team.slack.sockets, "ticket", lambda: "used" if next(spoiled, None) is not None else ticket()
        )
        team.slack.sockets.drop()
        await reconnected(team)
        await asked_and_answered(team, 1)


# Rows 24–28: deliveries


@pytest.mark.both_engines
async def test_row_24_two_restarts_and_all_deliveries_again_make_one_answer(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            await team.quiet()
        for _ in range(2):
            async with started(slack, model, tmp_path) as team:
                for delivery in [d for d in slack.deliveries if d.kind == "events_api"]:
                    slack.push(delivery.kind, delivery.payload, slack.team)
                await slack.until(lambda: all(d.acked for d in slack.deliveries))
                assert len(await kept(team)) == 1
        assert len(model.requests) == 1


@pytest.mark.both_engines
async def test_row_24_eleven_event_ids_of_one_post_are_one_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.deliver("app_mention", drop=True)
        thread = await team.ask("@parley hello")
        (sent,) = [d for d in team.slack.deliveries if d.name == "message"]
        for n in range(10):
            team.slack.push(sent.kind, sent.payload | {"event_id": f"Ev{n}"}, team.slack.team)
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1
        assert len(team.model.requests) == 1


@pytest.mark.both_engines
async def test_row_25_a_retry_that_is_the_only_delivery_is_answered(tmp_path: Path) -> None:
    slack = {"ack_deadline_s": 0.5, "retry_delays_s": (0.3, 1.0, 2.0)}
    async with workspace(tmp_path, slack=slack, PARLEY_TRANSPORT="http") as team:
        address, team.slack.events_url = team.slack.events_url, "http://127.0.0.1:9/slack/events"
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.slack.counts["events_api:connection_failed"])
        team.slack.events_url = address
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1


@pytest.mark.both_engines
async def test_row_26_a_deletion_that_arrives_before_its_post_leaves_no_answer(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.deliver("message", delay_s=0.5)
        team.slack.faults.deliver("app_mention", delay_s=0.5)
        thread = await team.ask("@parley hello")
        await team.slack.delete("alice", "#general", thread)
        await team.slack.until(lambda: all(d.acked for d in team.slack.deliveries))
        assert await kept(team) == []
        assert not team.model.requests


async def test_row_26_a_post_deleted_while_slack_is_away_leaves_nothing_behind(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(LONG, tokens_per_s=60)
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        team.slack.faults.add("chat.stopStream", status=503, times=2)
        team.slack.faults.add("chat.update", status=503)
        await team.slack.until(lambda: team.slack.counts["chat.update"])
        await team.slack.delete("alice", "#general", thread)
        assert await kept(team, cancelled=1) == []


async def test_row_26_a_post_whose_deletion_we_never_heard_of_is_answered_nowhere(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER, first_token_s=0.5)
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: all(d.acked for d in team.slack.deliveries))
        team.slack.faults.deliver("message", drop=True)
        await team.slack.delete("alice", "#general", thread)
        rows = await ended(team)
        assert [row["state"] for row in rows] == ["done"]
        assert ours(team.slack) == []


@pytest.mark.both_engines
async def test_row_26_an_edit_that_arrives_before_its_post_is_what_is_answered(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.deliver("message", delay_s=0.5)
        team.slack.faults.deliver("app_mention", delay_s=0.5)
        thread = await team.ask("@parley hello")
        await team.slack.edit("alice", "#general", thread, "@parley goodbye")
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1


async def test_row_28_a_request_from_another_time_is_refused_and_stores_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        for skew_s in (-301, 301):
            assert await post(team, json.dumps(event("hello")).encode(), skew_s=skew_s) == 401
        assert await team.bot.services.engine.read(jobs) == []
        assert len(await asked_over_http(team)) == 1


# Rows 29 and 30: what is no delivery of Slack's


def event(said: Any, **more: Any) -> dict[str, Any]:
    body = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": f"{time.time():.6f}", "text": said}
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": body | more}


async def post(
    team: Workspace, body: bytes, *, kind: str = "application/json", skew_s: float = 0, signed: bool = True
) -> int:
    now = str(int(time.time() + skew_s))
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": now}
    if signed:
        headers["X-Slack-Signature"] = sign(team.slack.signing_secret, now, body)
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{team.bot.url}/slack/events", data=body, headers=headers) as answer,
    ):
        return answer.status


JSON, FORM = "application/json", "application/x-www-form-urlencoded"
NO_DELIVERIES = [
    *(
        (body, JSON)
        for body in (b"[]", b"null", b"1", b'"x"', b"{", b"", b"\xff\xfe", b"{}", b'{"event": null}')
    ),
    *((body, JSON) for body in (b"[" * 100_000, b'{"event":' * 5_000, b'{"event": []}', b'{"event": {}}')),
    *(
        (body, FORM)
        for body in (b"payload=", b"payload=[]", b"payload=null", b"payload={", b"payload=1", b"%ff")
    ),
    *((body, FORM) for body in (b"{", b"{}", b"[]", b"", b"payload=" + b"[" * 100_000)),
    *((body, "text/plain") for body in (b"{", b"[]", b"hello", b"\xff", b'{"event": null}')),
    *((body, "application/json; charset=utf-16") for body in (b"{}", b"x")),
    *((body, "application/json; charset=nonsense") for body in (b"{}", b"x")),
]


@pytest.mark.parametrize("signed", [True, False])
async def test_row_29_bodies_that_are_no_delivery_are_refused_and_store_nothing(
    tmp_path: Path, signed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        statuses = {
            (body[:20], kind): await post(team, body, kind=kind, signed=signed)
            for body, kind in NO_DELIVERIES
        }
        assert {key: status for key, status in statuses.items() if not 400 <= status < 500} == {}
        assert "Traceback" not in caplog.text
        assert await team.bot.services.engine.read(jobs) == []
        assert len(await asked_over_http(team)) == 1


async def asked_over_http(team: Workspace) -> list[str]:
    thread = await team.ask("@parley hello")
    await team.answer("#general", thread)
    return await kept(team)


WRONG: list[dict[str, Any]] = [
    {name: value}
    for name in ("ts", "channel", "user", "text", "thread_ts", "files")
    for value in (5, [], {}, "x")
] + [{"subtype": "message_changed", "message": value} for value in (5, [], {}, "x", None)]


async def test_row_29_events_of_a_wrong_shape_are_refused_or_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        statuses = {str(w): await post(team, json.dumps(event("hello", **w)).encode()) for w in WRONG}
        assert {key: status for key, status in statuses.items() if status >= 500} == {}
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "start", [b"", b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX-Half: "], ids=["idle", "half"]
)
async def test_row_30_a_connection_that_never_finishes_asking_is_closed(
    tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.http.READ_DEADLINE_S", 0.5)
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        lines = [await opened(team) for _ in range(250)]
        for _, writer in lines:
            writer.write(start)
        assert len(await asked_over_http(team)) == 1
        for reader, writer in lines:
            await asyncio.wait_for(reader.read(), 10)
            writer.close()


@pytest.mark.parametrize(
    "start",
    [
        b"Content-Length: 1000\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"Content-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n\x1f",
    ],
    ids=["half body", "endless chunks", "gzip"],
)
async def test_row_30_a_body_that_never_ends_is_refused_in_time(
    tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.http.READ_DEADLINE_S", 0.5)
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        reader, writer = await opened(team)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + start)
        assert len(await asked_over_http(team)) == 1
        assert b" 4" in (await asyncio.wait_for(reader.read(), 10)).split(b"\r\n")[0]
        writer.close()


async def opened(team: Workspace) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = team.bot.url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


# Rows 31–39: the model answers badly


@pytest.mark.parametrize("retry_after_s", [None, 0.3])
async def test_row_31_a_rate_limit_of_the_model_is_waited_out(
    tmp_path: Path, retry_after_s: float | None
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.model.faults.add("rate_limit", retry_after_s=retry_after_s)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        assert len(team.model.requests) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [("quota", QuotaSpent), ("credentials", Credentials), ("content_policy", ContentFiltered)],
)
async def test_row_32_what_only_an_operator_can_mend_costs_one_request_and_one_alert(
    tmp_path: Path, fault: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add(fault, times=0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [error().notice]  # type: ignore[attr-defined]
        assert len(team.model.requests) == 1
        if error is not ContentFiltered:
            again = await team.ask("@parley hello again")
            await team.answer("#general", again)
            assert len(team.model.requests) == 1
            assert (await readiness(team))[0] == 503
            assert len([r for r in caplog.records if "left alone" in r.getMessage()]) == 1
        await kept(team)
        assert "sk-" not in caplog.text


@pytest.mark.parametrize("fault", ["server_error", "overloaded", "drop"])
async def test_row_33_a_model_that_fails_is_asked_three_times_then_the_person_may_try_again(
    tmp_path: Path, fault: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add(fault, times=3)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert said
        assert len(team.model.requests) == 3
        team.model.script(ANSWER)
        failed = dict(team.replies("#general", thread)[0])
        for _ in range(3):
            await team.press_as_it_stood("alice", "#general", failed, blocks.RETRY)
        await team.answer("#general", thread, count=2)
        assert await kept(team) == [said, ANSWER]


@pytest.mark.parametrize("fault", ["reset", "eof", "error_event", "bad_json", "bad_utf8"])
async def test_row_34_an_answer_that_breaks_off_is_shown_and_marked(tmp_path: Path, fault: str) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(LONG)
        team.model.faults.add(fault, after_chunks=6)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert LONG.startswith(said)
        assert CUT["broken"] in json.dumps(team.replies("#general", thread))
        assert len(team.model.requests) == 1


@pytest.mark.parametrize(
    ("fault", "note"),
    [("length", CUT["length"]), ("content_filter", CUT["filtered"]), ("html", ""), ("empty_choices", "")],
)
async def test_row_35_an_answer_cut_or_missing_is_said_so_without_asking_again(
    tmp_path: Path, fault: str, note: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add(fault, times=0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert said
        assert note in json.dumps(team.replies("#general", thread), ensure_ascii=False)
        assert len(team.model.requests) == 1


async def test_row_36_what_is_too_long_for_the_model_is_asked_once_more_and_shorter(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley " + "remember this. " * 300)
        await team.answer("#general", thread)
        team.model.faults.add("context_length")
        await team.ask("and now?", thread=thread)
        await team.answer("#general", thread, count=2)
        await kept(team)
        asked = [json.dumps(r.body["messages"]) for r in team.model.requests]
        refused, again = [messages for messages in asked if "and now?" in messages]
        assert len(again) < len(refused)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -5, "completion_tokens": 10, "total_tokens": 5},
        {"prompt_tokens": 10**12, "completion_tokens": 10**12, "total_tokens": 2 * 10**12},
        {"prompt_tokens": 2**63, "completion_tokens": 1, "total_tokens": 1},
        {"prompt_tokens": "many", "completion_tokens": [], "total_tokens": {}},
        {"prompt_tokens": 1.5e308, "completion_tokens": 2.5, "total_tokens": 1},
    ],
    ids=["negative", "huge", "beyond 64 bits", "words", "fractions"],
)
async def test_row_37_usage_that_cannot_be_true_is_an_estimate_and_the_report_stays_right(
    tmp_path: Path, usage: dict[str, Any]
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.model.faults.add("usage", value=usage)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        used = await team.bot.services.costs.this_month(team.slack.team)
        assert used.requests == 1
        assert 0 < used.input_tokens + used.output_tokens < 100_000_000


async def test_row_39_a_model_that_is_away_is_told_at_once_and_asked_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add("overloaded", times=6)
        for n in range(3):
            thread = await team.ask(f"@parley hello {n}")
            await team.answer("#general", thread)
        made = len(team.model.requests)
        assert made < 9
        assert (await readiness(team))[0] == 503
        assert set(await kept(team)) == {Overloaded().notice}


# Rows 41–46: the database


def room_for(tx: Tx, pages: int) -> None:
    tx.all(f"pragma max_page_count = {pages}")


def pages(tx: Tx) -> int:
    return int(tx.all("pragma page_count")[0]["page_count"])


@pytest.mark.sqlite_file
async def test_row_41_what_a_full_disk_cannot_keep_is_not_acknowledged_and_comes_again(
    tmp_path: Path,
) -> None:
    slack = {"ack_deadline_s": 1.0, "retry_delays_s": (0.5, 1.0, 4.0)}
    async with workspace(tmp_path, slack=slack, PARLEY_TRANSPORT="http") as team:
        engine = team.bot.services.engine
        await engine.write(room_for, await engine.read(pages))
        thread = await team.ask("@parley " + "hello " * 2_000)
        await team.slack.until(lambda: team.slack.counts["events_api:http_error"])
        assert await engine.read(jobs) == []
        await engine.write(room_for, 1_000_000)
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1


@pytest.mark.sqlite_file
async def test_row_41_a_disk_that_fills_up_under_an_answer_delays_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        engine = team.bot.services.engine
        team.model.script("many words " * 3_000, first_token_s=0.3, times=0)
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.model.counters["requests"])
        await engine.write(room_for, await engine.read(pages))
        await asyncio.sleep(1.0)
        await engine.write(room_for, 1_000_000)
        await team.answer("#general", thread)
        await kept(team)


@pytest.mark.sqlite_file
async def test_row_44_a_file_that_somebody_else_holds_is_no_acknowledgement_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "LOCKED_S", 0.2)
    slack = {"ack_deadline_s": 1.0, "retry_delays_s": (0.5, 1.0, 4.0)}
    async with workspace(tmp_path, slack=slack, PARLEY_TRANSPORT="http") as team:
        shell = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        shell.execute("begin immediate")
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.slack.counts["events_api:http_error"])
        assert "Busy" in (await readiness(team))[1]
        shell.close()
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1


@pytest.mark.sqlite_file
async def test_row_44_a_request_that_ends_while_the_file_is_held_is_settled_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_writer, "LOCKED_S", 0.1)
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER, first_token_s=0.3, times=0)
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.model.requests)
        shell = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        shell.execute("begin immediate")
        await team.slack.until(lambda: "could not settle" in caplog.text)
        shell.close()
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]


@pytest.mark.sqlite_file
async def test_row_41_a_stream_that_an_attempt_has_not_begun_yet_ends_with_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        engine = team.bot.services.engine
        team.model.script("many words " * 3_000, first_token_s=1.5, tokens_per_s=10_000, times=0)
        team.slack.faults.add("chat.startStream", status=429, retry_after_s=2)
        await team.ask("@parley hello")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await engine.write(room_for, await engine.read(pages))
        await team.slack.until(lambda: team.slack.counts["agents.sessions.setStatus"] >= 2)
        await engine.write(room_for, 1_000_000)
        await kept(team)
        await asyncio.sleep(2.0)
        await kept(team)


def old(tx: Tx) -> None:
    inbox.put(tx, "old", "c", "message", "{}", now=1)
    inbox.cancel(tx, "old", now=1)


@pytest.mark.sqlite_file
async def test_row_44_what_could_not_be_erased_for_a_lock_is_erased_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_writer, "LOCKED_S", 0.1)
    monkeypatch.setattr("storage.sqlite.engine.HOUR_S", 0.2)
    async with workspace(tmp_path) as team:
        engine = team.bot.services.engine
        shell = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        shell.execute("begin immediate")
        await team.slack.until(lambda: "housekeeping" in caplog.text)
        shell.close()
        await engine.write(old)
        reader = sqlite3.connect(f"file:{tmp_path}/parley.db?mode=ro", uri=True)
        await until(lambda: not reader.execute("select 1 from inbox where key = 'old'").fetchall())
        reader.close()


@pytest.mark.sqlite_file
async def test_row_46_a_file_deleted_under_us_is_told_and_nothing_more_is_acknowledged(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        for path in tmp_path.glob("parley.db*"):
            path.unlink()
        assert "database" in (await readiness(team))[1]
        await team.ask("@parley hello")
        await team.slack.until(lambda: team.slack.counts["events_api:http_error"])
        assert not team.model.requests


# Row 48: time


@pytest.mark.both_engines
async def test_row_48_messages_from_the_future_are_answered(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack={"clock": lambda: time.time() + 3_600}) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1


async def test_row_48_a_day_later_it_is_closed_in_words(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack={"clock": lambda: time.time() - 86_400}) as team:
        thread = await team.ask("@parley hello")
        assert "ago" in await team.answer("#general", thread)
        assert len(await kept(team)) == 1
        assert not team.model.requests


# Row 52: nobody reads what it writes


async def test_row_52_a_log_that_nobody_reads_holds_up_no_answer(tmp_path: Path) -> None:
    unread, log = os.pipe()
    fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        environ = {"PATH": os.environ["PATH"]} | environment(slack, model, tmp_path)
        process = await start_module("bot", "serve", env=environ, stdout=DEVNULL, stderr=log)
        try:
            await slack.until(lambda: len(slack.sockets.connections) == 2)
            for asked in (60, 120):
                for n in range(60):
                    await slack.say("alice", "#general", f"@parley question {n}")
                await slack.until(lambda most=asked: sum(map(is_final, ours(slack))) == most)
            assert len(await kept_in(tmp_path, slack, model)) == 120
        finally:
            process.kill()
            await process.wait()
            os.close(unread)
            os.close(log)


# Row 54: settings


SECRET = "xoxb-12345-a-secret"


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xapp-12345-a-secret", "SLACK_APP_TOKEN": SECRET}, "another token"),
        ({"SLACK_BOT_TOKEN": SECRET, "PORT": "many"}, "PORT"),
        (
            {"SLACK_BOT_TOKEN": SECRET, "SLACK_SIGNING_SECRET": "s", "PARLEY_TIME_ZONE": "Mars/Base"},
            "PARLEY_TIME_ZONE",
        ),
        ({"SLACK_BOT_TOKEN": SECRET, "SLACK_SIGNING_SECRET": "s", "PARLEY_STOP": "["}, "PARLEY_STOP"),
        (
            {
                "SLACK_BOT_TOKEN": SECRET,
                "SLACK_SIGNING_SECRET": "s",
                "OPENAI_API_KEY": "sk-1",
                "PARLEY_DATABASE": "sqlite:////no/where/p.db",
            },
            "/no/where",
        ),
        (
            {"SLACK_BOT_TOKEN": SECRET, "SLACK_SIGNING_SECRET": "s", "PARLEY_PRICES": "/no/where.toml"},
            "PRICES",
        ),
        (
            {"SLACK_BOT_TOKEN": SECRET, "SLACK_SIGNING_SECRET": "s", "SLACK_API_URL": "not a url"},
            "SLACK_API_URL",
        ),
        (
            {"SLACK_BOT_TOKEN": SECRET, "SLACK_SIGNING_SECRET": "s", "OPENAI_BASE_URL": "not a url"},
            "OPENAI_BASE_URL",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_row_54_a_wrong_setting_ends_the_start_with_a_line_that_names_it(
    tmp_path: Path, environ: dict[str, str], word: str
) -> None:
    here = {"PARLEY_DATABASE": database_url(tmp_path / "p.db"), "PARLEY_OPS_PORT": "0"}
    status, said = await served(here | environ)
    assert status != 0
    assert word in said
    assert "Traceback" not in said
    assert "a-secret" not in said


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_row_54_a_token_that_slack_refuses_ends_the_start_with_a_line(
    tmp_path: Path, method: str
) -> None:
    async with FakeSlack(manifest=MANIFEST) as slack, FakeModel() as model:
        slack.faults.add(method, error="invalid_auth", for_s=60)
        status, said = await served(environment(slack, model, tmp_path))
        assert status != 0
        assert "invalid_auth" in said
        assert "Traceback" not in said
