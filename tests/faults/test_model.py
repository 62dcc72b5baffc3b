"""More of the model's part in the fault table: silence, limits, strange usage, very long threads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.turn import CUT
from bot.core.errors import Credentials
from bot.provider import circuit_breaker
from bot.provider.service import Provider
from bot.sandbox.rehearsal.question import RehearsedAnswer
from storage.engine import Tx
from tests.support.promises import kept
from tests.support.workspace import workspace

ANSWER = "The answer, word for word, in one piece."
LONG = "word " * 60


def ledger(tx: Tx) -> list[dict[str, Any]]:
    return tx.all("select outcome, estimated, cost, output_tokens from ledger order by id")


def remembered(tx: Tx) -> list[int]:
    """Of each answer that is remembered, whether as a whole one."""
    return [
        row["whole"] for row in tx.all("select whole from messages where role = 'assistant' order by seq")
    ]


# Row 31: tokens per minute


async def test_row_31_a_limit_of_tokens_per_minute_delays_a_crowd_and_each_is_answered(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, model={"tokens_per_minute": 60_000}, PARLEY_MAX_TOKENS="100") as team:
        team.model.script(ANSWER, times=0)
        for n in range(8):
            await team.ask(f"@parley {'several words ' * 400} {n}")
        await team.slack.until(lambda: team.model.counters["outcome:answered"] >= 8)
        assert await kept(team) == [ANSWER] * 8
        assert not team.model.counters["outcome:refused"], "its limit was learned from its first answers"


# Row 32: the model is gone


async def test_row_32_a_model_that_is_gone_costs_one_request_and_is_told_in_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path, PARLEY_MODEL="gpt-no-longer") as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert said
        assert "gpt-no-longer" not in said
        assert len(team.model.requests) == 1
        again = await team.ask("@parley hello again")
        await team.answer("#general", again)
        (logged,) = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
        assert "gpt-no-longer" in logged, "the operator hears which, once"
        assert "model_not_found" in logged


async def test_row_32_the_end_of_a_key_that_the_api_repeats_is_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add("credentials", times=0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [Credentials().notice]
        for place in (caplog.text, json.dumps(team.replies("#general", thread))):
            assert "sk-proj" not in place
            assert "key1" not in place


# Row 33: no answer at all


async def test_row_33_a_model_that_never_answers_is_asked_three_times_then_told(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_REQUEST_DEADLINE_S="1") as team:
        team.model.faults.add("timeout", times=3)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert said
        assert len(team.model.requests) == 3
        rows = await team.bot.services.engine.read(ledger)
        assert [row["outcome"] for row in rows] == ["unknown"] * 3
        assert all(row["cost"] for row in rows), "nobody knows what became of them, so they count"


@pytest.mark.both_engines
async def test_row_33_two_failures_and_then_an_answer_are_three_rows_and_one_success(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.model.faults.add("server_error")
        team.model.faults.add("drop")
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        outcomes = [row["outcome"] for row in await team.bot.services.engine.read(ledger)]
        assert outcomes[-1] == "ok"
        assert outcomes.count("ok") == 1
        assert len(outcomes) == 3


# Row 34: broken off


@pytest.mark.parametrize("style", ["chat", "responses", "transcript"])
@pytest.mark.parametrize("fault", ["stall", "reset", "eof", "bad_json"])
async def test_row_34_what_broke_off_is_marked_estimated_and_no_good_memory(
    tmp_path: Path, style: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Provider.__init__.__kwdefaults__ or {}, "stall_s", 0.5)
    model = {"PARLEY_MODEL": "rehearsal"} if style == "transcript" else {}
    async with workspace(tmp_path, PARLEY_STYLE=style, **model) as team:
        team.model.script(LONG)
        team.model.faults.add(fault, after_chunks=6)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert LONG.startswith(said)
        assert CUT["broken"] in json.dumps(team.replies("#general", thread))
        (row,) = await team.bot.services.engine.read(ledger)
        assert row["estimated"]
        assert row["output_tokens"] > 0
        assert await team.bot.services.engine.read(remembered) == [0]


async def test_row_34_a_line_that_is_lost_before_the_first_word_is_asked_again_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER, times=0)
        team.model.faults.add("reset", after_chunks=0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        assert len(team.model.requests) == 2


# Row 35: no whole answer


@pytest.mark.parametrize("style", ["chat", "responses"])
@pytest.mark.parametrize("fault", ["length", "content_filter", "html", "empty_choices", "empty"])
async def test_row_35_in_every_style_an_answer_that_is_none_is_told_without_asking_blindly(
    tmp_path: Path, style: str, fault: str
) -> None:
    async with workspace(tmp_path, PARLEY_STYLE=style) as team:
        team.model.faults.add(fault, times=0)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (said,) = await kept(team)
        assert said
        assert "<" not in said
        assert len(team.model.requests) <= 2


async def test_row_35_a_refusal_is_shown_as_the_model_said_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(RehearsedAnswer("I cannot help with that.", refusal=True))
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == ["I cannot help with that."]
        assert len(team.model.requests) == 1


# Row 36: a thread beyond the model


async def test_row_36_of_a_thread_of_5_000_messages_the_last_are_read_and_that_is_said(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, model={"context_tokens": 8_000}) as team:
        team.model.script(ANSWER, times=0)
        root = await team.slack.say("bob", "#general", "number 0")
        there, bob = team.slack.workspace.channels[team.slack.channel("#general")], team.slack.user("bob")
        for n in range(1, 5_000):  # written before anybody called us in
            said = {"type": "message", "user": bob, "text": f"number {n}", "thread_ts": root}
            team.slack.workspace.put(there, said | {"ts": team.slack.workspace.ts()})
        await team.ask("@parley and now?", thread=root)
        await team.answer("#general", root)
        assert await kept(team) == [ANSWER]
        assert "number 4999" in team.model.requests[-1].prompt
        assert "I read only the last" in json.dumps(team.replies("#general", root))
        answered = [r for r in team.model.requests if r.outcome == "answered"]
        assert len(team.model.requests) - len(answered) <= 1


# Row 37: what the provider says it used


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("no_usage", None),
        ("usage", {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}),
        ("usage", {"prompt_tokens": True, "completion_tokens": -0.0, "total_tokens": "1e3"}),
        ("usage", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
        ("other_model", "gpt-4.1-2099-01-01"),
        ("other_model", "<!channel> " * 50),
    ],
    ids=["missing", "null", "no numbers", "nothing", "another model", "a model that is none"],
)
async def test_row_37_whatever_is_reported_the_answer_comes_and_the_report_stays_right(
    tmp_path: Path, fault: str, value: Any
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.model.faults.add(fault, value=value)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert await kept(team) == [ANSWER]
        used = await team.bot.services.costs.this_month(team.slack.team)
        assert used.requests == 1
        assert 0 < used.input_tokens + used.output_tokens < 10_000
        assert used.cost_usd is not None


# Row 39: away for long


async def test_row_39_a_model_that_comes_back_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "PAUSE_S", 0.3)
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER, times=0)
        team.model.faults.add("overloaded", times=0)
        for n in range(3):
            thread = await team.ask(f"@parley hello {n}")
            await team.answer("#general", thread)
        assert team.bot.services.provider.unavailable
        team.model.faults.clear()
        while team.bot.services.provider.unavailable:
            thread = await team.ask("@parley and now?")
            await team.answer("#general", thread)
        assert (await kept(team))[-1] == ANSWER
