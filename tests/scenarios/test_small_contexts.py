"""Models that read little: a thread goes on for as long as people like, and no turn begins with a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.errors import QuestionTooLong
from bot.sandbox.model.dialects import LLAMA_CPP, OPENAI, VLLM, Dialect
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.workspace import MANIFEST, Workspace, started, workspace

FACT = "The shelf number {n} holds the boxes with the cables for the printer on floor {n}. " * 8
SERVERS = pytest.mark.parametrize("dialect", [LLAMA_CPP, VLLM, OPENAI], ids=lambda dialect: dialect.name)


async def talk(team: Workspace, turns: int, *, thread: str = "", so_far: int = 0) -> str:
    for n in range(so_far, so_far + turns):
        thread = await team.ask(f"@parley {FACT.format(n=n)}", thread=thread)
        await team.answer("#general", thread, count=n + 1)
    return thread


def refused(team: Workspace) -> list[int]:
    return [request.number for request in team.model.requests if request.status == 400]


@SERVERS
async def test_a_long_thread_lives_on_and_the_limit_is_learned_from_one_refusal(
    tmp_path: Path, dialect: Dialect
) -> None:
    model = {"dialect": dialect, "context_tokens": 2_048}
    async with workspace(tmp_path, model=model, PARLEY_MODEL="rehearsal", PARLEY_MAX_TOKENS="400") as team:
        thread = await talk(team, 14)
        said = team.said("#general", thread)
        assert len(said) == 14
        assert not [text for text in said if "longer than the model" in text]
        assert len(refused(team)) == 1
        assert "shelf number 12 " in team.model.requests[-1].prompt, "the last turns are known word for word"


async def test_what_was_learned_holds_after_a_restart(tmp_path: Path) -> None:
    how = {"PARLEY_MODEL": "rehearsal", "PARLEY_MAX_TOKENS": "400"}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel(dialect=LLAMA_CPP, context_tokens=2_048) as model,
    ):
        async with started(slack, model, tmp_path, **how) as team:
            thread = await talk(team, 14)
            before = len(refused(team))
            assert before == 1
        async with started(slack, model, tmp_path, **how) as team:
            await talk(team, 3, thread=thread, so_far=14)
            other = await team.ask(f"@parley {FACT.format(n=1) * 3}")
            await team.answer("#general", other)
            assert len(refused(team)) == before


@SERVERS
async def test_of_a_thread_of_long_messages_at_last_only_the_question_is_left(
    tmp_path: Path, dialect: Dialect
) -> None:
    model = {"dialect": dialect, "context_tokens": 1_024}
    async with workspace(tmp_path, model=model, PARLEY_MODEL="rehearsal", PARLEY_MAX_TOKENS="200") as team:
        thread = await team.ask(f"@parley {'tell me a story ' * 130}")
        await team.answer("#general", thread)
        await team.ask(f"@parley {'and another one ' * 130}", thread=thread)
        assert "longer than the model" not in await team.answer("#general", thread, count=2)


async def test_a_question_that_is_too_long_by_itself_is_told_so(tmp_path: Path) -> None:
    model = {"dialect": LLAMA_CPP, "context_tokens": 1_024}
    async with workspace(tmp_path, model=model, PARLEY_MODEL="rehearsal") as team:
        thread = await talk(team, 2)
        await team.ask(f"@parley {'one more word ' * 600}", thread=thread)
        assert await team.answer("#general", thread, count=3) == QuestionTooLong().notice
        await team.ask("@parley and now?", thread=thread)
        assert "longer than the model" not in await team.answer("#general", thread, count=4)
