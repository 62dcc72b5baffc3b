"""Never lost, never twice: repeats, disorder, bursts, and a Slack that answers badly or not at all."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bot.core.errors import TooOld
from bot.provider.own_marks import ABOUT
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.promises import kept
from tests.support.workspace import MANIFEST, is_final, started, text_of, workspace

ANSWER = "The answer, word for word, in one piece."


async def finals(team, thread: str, channel: str = "#general") -> list[str]:  # type: ignore[no-untyped-def]
    """The replies in a thread, in a workspace where every promise is kept."""
    await kept(team)
    return [text_of(m).strip() for m in team.replies(channel, thread) if is_final(m)]


@pytest.mark.both_engines
async def test_four_deliveries_of_one_event_make_one_turn(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.deliver("message", times=4, copies=3)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert len(await finals(team, thread)) == 1
        assert len(team.model.requests) == 1


@pytest.mark.both_engines
async def test_a_delivery_that_comes_again_after_a_restart_is_known(tmp_path: Path) -> None:
    delays = {"ack_deadline_s": 1.0, "retry_delays_s": (2.0, 4.0, 6.0)}
    async with FakeSlack(manifest=MANIFEST, rate_limits=False, **delays) as slack, FakeModel() as model:
        slack.faults.deliver("message", times=1, lose_acks=1)
        async with started(slack, model, tmp_path, PARLEY_TRANSPORT="http") as team:
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            (delivery,) = [d for d in slack.deliveries if d.name == "message"][:1]
            assert not delivery.acked
        async with started(slack, model, tmp_path, PARLEY_TRANSPORT="http") as team:
            await slack.until(lambda: delivery.acked)
            assert len(await kept(team)) == 1
            assert len(delivery.attempts) > 1
            assert len(model.requests) == 1


@pytest.mark.both_engines
async def test_follow_ups_sent_in_a_burst_are_answered_in_order(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley start")
        await team.answer("#general", thread)
        for n in range(6):
            who = ("alice", "bob")[n % 2]  # what one person adds in a burst is one question
            await team.ask(f"@parley question {n}", thread=thread, user=who)
            await asyncio.sleep(0.02)  # two sockets: what comes within milliseconds has no order
        await team.answer("#general", thread, count=7)
        asked = [r.prompt.partition(ABOUT)[0].splitlines()[-1] for r in team.model.requests][1:]
        assert [text.rpartition(" ")[2] for text in asked] == [str(n) for n in range(6)]
        assert len(await kept(team)) == 7


@pytest.mark.both_engines
async def test_conversations_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("slow " * 30, match="slowly", tokens_per_s=10)
        team.model.script("quick")
        slow = await team.ask("@parley slowly please")
        quick = await team.ask("@parley hello")
        assert await team.answer("#general", quick) == "quick"
        assert not [m for m in team.replies("#general", slow) if is_final(m)]


@pytest.mark.both_engines
async def test_a_post_whose_answer_was_lost_is_looked_for_and_not_repeated(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.slack.faults.add("chat.postMessage", accepted=True, lose_response=True)
        thread = await team.ask("@parley hello")
        assert await finals_after(team, thread) == [ANSWER]


async def finals_after(team, thread: str) -> list[str]:  # type: ignore[no-untyped-def]
    await team.answer("#general", thread)
    await asyncio.sleep(0.5)
    return await finals(team, thread)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "html": True},
        {"html": True},
        {"status": 502},
        {"status": 500, "html": True, "accepted": True},
        {"html": True, "accepted": True},
        {"error": "internal_error"},
        {"error": "fatal_error", "accepted": True},
        {"error": "request_timeout"},
        {"error": "service_unavailable", "accepted": True},
        {"status": 429, "retry_after_s": 1},
        {"status": 429, "retry_after_s": "junk"},
        {"status": 429},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "method", ["chat.postMessage", "chat.startStream", "chat.appendStream", "chat.stopStream"]
)
async def test_whatever_slack_answers_the_person_gets_the_answer_once(
    tmp_path: Path,
    method: str,
    fault: dict,  # type: ignore[type-arg]
) -> None:
    async with workspace(tmp_path) as team:
        slow = method != "chat.postMessage"
        team.model.script(ANSWER, **({"tokens_per_s": 40} if slow else {}))
        team.slack.faults.add(method, **fault)
        thread = await team.ask("@parley hello")
        assert await finals_after(team, thread) == [ANSWER]
        assert len(team.replies("#general", thread)) == 1
        assert len(team.model.requests) == 1


async def test_slack_that_is_away_for_seconds_delays_and_loses_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.add("*", status=503, for_s=4.0, times=0)
        threads = [await team.ask(f"@parley hello {n}") for n in range(5)]
        for thread in threads:
            await team.answer("#general", thread)
            assert len(await finals(team, thread)) == 1


async def test_a_channel_that_went_away_meanwhile_the_asker_gets_the_answer_privately(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        for method in ("chat.postMessage", "chat.startStream"):
            team.slack.faults.add(
                method, error="is_archived", where={"channel": team.slack.channel("#general")}
            )
        await team.ask("@parley hello")
        dm = team.slack.dm("alice")
        await team.slack.until(lambda: team.calls("conversations.open"))
        assert len(await kept(team, shut=True)) == 1
        posted = team.calls("chat.postMessage")[-1]
        assert posted["channel"] == dm
        assert ANSWER in text_of(posted)


async def test_what_was_answered_privately_is_taken_back_with_its_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        general = {"channel": team.slack.channel("#general")}
        for method in ("chat.postMessage", "chat.startStream"):
            team.slack.faults.add(method, error="is_archived", where=general)
        dm = team.slack.dm("alice")
        team.slack.faults.add("chat.postMessage", delay_s=0.5, where={"channel": dm})
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.calls("conversations.open"))
        await team.slack.delete("alice", "#general", thread)
        await team.quiet()
        posted, deleted = team.calls("chat.postMessage")[-1], team.calls("chat.delete")[-1]
        assert posted["channel"] == deleted["channel"] == dm


async def test_a_message_from_long_ago_is_closed_with_one_honest_sentence(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MESSAGE_AGE_LIMIT_S="0.2") as team:
        team.slack.faults.deliver("*", times=2, delay_s=0.6)
        thread = await team.ask("@parley hello")
        text = await team.answer("#general", thread)
        assert text == TooOld("0 minutes").notice.replace("0 minutes", text.split("(")[1].split(" ago")[0])
        assert await kept(team) == [text]
        assert not team.model.requests


async def test_a_refresh_of_one_socket_leaves_no_gap(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert len(team.slack.sockets.connections) == 2
        threads = []
        for n in range(6):
            if n % 2 == 0:
                team.slack.sockets.refresh()
            threads.append(await team.ask(f"@parley hello {n}"))
            await asyncio.sleep(0.05)
        for thread in threads:
            await team.answer("#general", thread)
        for thread in threads:
            assert len(await finals(team, thread)) == 1


async def test_a_stream_that_slack_lost_is_finished_by_an_edit(tmp_path: Path) -> None:
    later = 0.0
    async with workspace(tmp_path, slack={"clock": lambda: time.time() + later}) as team:
        team.model.script("word " * 100, tokens_per_s=40)
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        later = 400.0  # Slack ends a stream after about five minutes
        assert await finals_after(team, thread) == [("word " * 100).strip()]
        assert len(team.replies("#general", thread)) == 1


async def test_a_very_long_answer_comes_in_parts_and_none_of_it_is_lost(tmp_path: Path) -> None:
    answer = "\n\n".join(f"Paragraph {n}: " + "many words " * 40 for n in range(80))
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="30000") as team:
        team.model.script(answer)
        thread = await team.ask("@parley write a book")
        await team.answer("#general", thread)
        parts = await finals(team, thread)
        assert len(parts) > 2
        assert "".join("".join(parts).split()) == "".join(answer.split())


async def test_a_long_answer_that_streams_rotates_to_a_new_message_and_loses_nothing(tmp_path: Path) -> None:
    answer = "\n\n".join(f"Paragraph {n}: " + "many words " * 40 for n in range(50))
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="30000") as team:
        team.model.script(answer, tokens_per_s=700)
        thread = await team.ask("@parley write a book")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"] >= 2)
        await kept(team)
        shown = "".join(text_of(m) for m in team.replies("#general", thread))
        assert "".join(shown.split()) == "".join(answer.split())


async def test_with_slacks_real_limits_a_crowd_is_answered_once_each(tmp_path: Path) -> None:
    async with workspace(
        tmp_path,
        slack={"rate_limits": True, "rate_figures": {"chat.postMessage": 600}},
        PARLEY_STREAMS_PER_MINUTE="20",
    ) as team:
        team.model.script("A short answer.", times=0, first_token_s=0.05, tokens_per_s=100)
        threads = [await team.ask(f"@parley hello {n}", channel="#support") for n in range(10)]
        for thread in threads:
            await team.answer("#support", thread)
        for thread in threads:
            assert len(await finals(team, thread, "#support")) == 1
