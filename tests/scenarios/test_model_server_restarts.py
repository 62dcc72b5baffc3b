"""A model server that is not there for a while: the question waits, and the person sees why."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.conversation.turn import CUT
from bot.core.errors import Unreachable
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.reply.reply import WAITING
from tests.support.promises import kept
from tests.support.workspace import MANIFEST, Workspace, started, workspace

ANSWER = "Here I am again."
REFUSED = 30  # connections at most, in the seconds that a server is away here


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.provider.patience.LONGEST_PAUSE_S", 0.3)
    monkeypatch.setattr("bot.provider.circuit_breaker.PAUSE_S", 0.3)


def statuses(team: Workspace) -> list[str]:
    return [call.get("status", "") for call in team.calls("assistant.threads.setStatus")]


async def restart(model: FakeModel) -> None:
    await model.start()
    model.script(ANSWER, times=0)


async def test_row_56_a_question_waits_for_a_server_that_refuses_connections_and_is_answered_once(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        await team.model.stop()
        thread = await team.ask("@parley are you there?")
        await team.slack.until(lambda: WAITING in statuses(team))
        await asyncio.sleep(2.0)  # longer than what is tried at once
        assert team.said("#general", thread) == []
        await restart(team.model)
        assert await team.answer("#general", thread) == ANSWER
        assert await kept(team, unseen=REFUSED) == [ANSWER]
        assert statuses(team)[-1] == ""


async def test_row_56_a_server_that_loads_its_model_is_waited_for(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(ANSWER)
        team.model.faults.add("loading", for_s=2.5)
        thread = await team.ask("@parley are you there?")
        assert await team.answer("#general", thread) == ANSWER
        assert WAITING in statuses(team)
        assert await kept(team) == [ANSWER]


async def test_after_the_patience_the_person_is_told_and_may_try_again(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MODEL_PATIENCE_S="1") as team:
        await team.model.stop()
        thread = await team.ask("@parley are you there?")
        assert await team.answer("#general", thread) == Unreachable().notice
        assert "Try again" in json.dumps(team.replies("#general", thread))
        await restart(team.model)
        later = await team.ask("@parley and now?")
        assert await team.answer("#general", later)


async def test_whoever_stops_waiting_is_not_answered_any_more(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.model.stop()
        thread = await team.ask("@parley are you there?")
        await team.slack.until(lambda: WAITING in statuses(team))
        await team.ask("@parley stop", thread=thread)
        assert await team.answer("#general", thread) == CUT["stopped"]
        await restart(team.model)


async def test_row_56_a_question_that_waited_when_the_process_ended_is_answered_by_the_next(
    tmp_path: Path,
) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            await model.stop()
            thread = await team.ask("@parley are you there?")
            await slack.until(lambda: WAITING in statuses(team))
        assert team.said("#general", thread) == []
        await restart(model)
        async with started(slack, model, tmp_path) as team:
            assert await team.answer("#general", thread) == ANSWER
            assert await kept(team, unseen=REFUSED) == [ANSWER]


async def test_row_57_while_another_server_can_be_asked_nobody_is_waited_for(tmp_path: Path) -> None:
    async with FakeModel() as second:
        fallbacks = f"gpt-4.1 {second.base_url}"
        async with workspace(tmp_path, PARLEY_FALLBACKS=fallbacks) as team:
            await team.model.stop()
            second.script("I stand in.")
            thread = await team.ask("@parley Who answers?")
            assert (await team.answer("#general", thread)).startswith("I stand in.")
            assert WAITING not in statuses(team)
            assert [request.body["model"] for request in second.requests] == ["gpt-4.1"]
