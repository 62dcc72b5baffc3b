"""What a person reads of the answers that model servers really send, and what is remembered of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import turn
from bot.core.errors import Overloaded
from bot.ops.metrics import METRICS
from handlers.slack import blocks
from tests.support.rows import rows
from tests.support.secret_shapes import SECRETS
from tests.support.spending import run_command
from tests.support.workspace import Workspace, text_of, workspace

STREAMS = Path(__file__).parents[1] / "data" / "streams"
SECRET = "The user asks about the release. I recall the secret plan."


def load(name: str) -> tuple[bytes, ...]:
    """The pieces of a stream of tests/data/streams."""
    return tuple(
        piece.encode() for piece in json.loads((STREAMS / f"{name}.json").read_text("utf-8"))["sent"]
    )


def stream(*texts: str, finish: str = "stop", field: str = "content") -> tuple[bytes, ...]:
    """A chat stream with these texts in a field of its deltas."""
    return (
        *(event(delta={field: text}, finish_reason=None) for text in texts),
        event(delta={}, finish_reason=finish),
        b"data: [DONE]\n\n",
    )


def event(**choice: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"


async def ask(team: Workspace, text: str = "@parley when is the release?", thread: str = "") -> str:
    """The thread, once the answer is there and everything is done."""
    count = len(team.replies("#general", thread)) + 1 if thread else 1
    thread = await team.ask(text, thread=thread)
    await team.answer("#general", thread, count=count)
    await team.quiet()
    return thread


def shown(team: Workspace, thread: str) -> str:
    return text_of(team.replies("#general", thread)[-1])


def under(team: Workspace, thread: str) -> str:
    return str(team.replies("#general", thread)[-1]["blocks"][1:])


def remembered(tmp_path: Path) -> list[tuple[Any, ...]]:
    return rows(tmp_path, "select text, whole from messages where role = 'assistant' order by seq")


async def test_reasoning_is_not_shown_not_remembered_and_not_sent_back(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=load("think_tags_in_content"), tokens_per_s=4)
        thread = await ask(team)
        assert shown(team, thread) == "The release is on Friday."
        await ask(team, "sure?", thread)
        sent_back = str(team.model.requests[-1].body)
        assert "The release is on Friday." in sent_back
        assert not any(
            "secret" in text for text in (sent_back, str(team.slack.requests), str(list_all(team)))
        )
    assert remembered(tmp_path)[0] == ("The release is on Friday.", 1)


def list_all(team: Workspace) -> list[dict[str, Any]]:
    """Everything that was ever said to Slack."""
    return [request.arguments for request in team.slack.requests]


@pytest.mark.parametrize(
    "name", ["special_tokens_leak", "surrogate_escape", "finish_eos_token", "nan_in_json"]
)
async def test_a_strange_stream_is_an_ordinary_answer(tmp_path: Path, name: str) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=load(name))
        thread = await ask(team)
        said = json.loads((STREAMS / f"{name}.json").read_text("utf-8"))["shown"]
        assert shown(team, thread) == said
        assert blocks.FEEDBACK in under(team, thread), "it is whole"
    assert remembered(tmp_path) == [(said, 1)]


async def test_half_a_character_becomes_a_sign_and_is_remembered_so(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        half = rb'data: {"choices": [{"index": 0, "delta": {"content": "Hi \ud83d"}}]}'
        team.model.script("", body=(half + b"\n\n", *stream()))
        assert shown(team, await ask(team)) == "Hi \ufffd"
    assert remembered(tmp_path) == [("Hi \ufffd", 1)]


async def test_a_wish_for_a_tool_is_said_in_words(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=load("finish_tool_calls"))
        thread = await ask(team)
        assert shown(team, thread) == turn.NO_TOOL
        assert blocks.RETRY in under(team, thread)
        assert len(team.model.requests) == 1


async def test_a_text_before_a_wish_for_a_tool_is_marked_as_not_complete(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=stream("Let me look that up.", finish="tool_calls"))
        thread = await ask(team)
        assert shown(team, thread) == "Let me look that up."
        assert turn.CUT["tools"] in under(team, thread)
    assert remembered(tmp_path) == [("Let me look that up.", 0)]


async def test_reasoning_alone_is_asked_for_once_more_and_then_said_in_words(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=load("reasoning_only"), times=0)
        thread = await ask(team)
        assert shown(team, thread) == turn.NOTHING_SAID
        assert len(team.model.requests) == 2
    assert "hmm" not in str(remembered(tmp_path))


@pytest.mark.parametrize("text", ["\u200b\u2060", " \n ", "<think>hm</think>\n\n"])
async def test_an_answer_that_nobody_can_see_ends_in_words(tmp_path: Path, text: str) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=stream(text), times=0)
        thread = await ask(team)
        assert shown(team, thread) == turn.NOTHING_SAID
        assert len(team.model.requests) == 2
    assert remembered(tmp_path) == [(turn.NOTHING_SAID, 1)]


@pytest.mark.parametrize(
    "thought",
    [stream(SECRET, field="reasoning", finish="length"), stream(f"<think>{SECRET}", finish="length")],
)
async def test_a_model_that_thought_its_limit_away_gets_more_room_once(
    tmp_path: Path, thought: tuple[bytes, ...]
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=thought)
        team.model.script("On Friday.")
        thread = await ask(team)
        assert shown(team, thread) == "On Friday."
        assert [r.body["max_completion_tokens"] for r in team.model.requests] == [2500, 10_000]
        team.model.script("", body=thought, times=0)
        await ask(team, "sure?", thread)
        assert shown(team, thread) == turn.ONLY_THOUGHT
        assert blocks.RETRY in under(team, thread)
        assert len(team.model.requests) == 4
    assert "secret" not in str(remembered(tmp_path))
    assert rows(tmp_path, "select count(*) from ledger where outcome = 'ok'") == [(4,)]


async def test_more_room_is_reserved_like_anything_and_without_it_the_person_reads_what_happened(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "budget channel 0.01 per day")  # 2,500 tokens cost $0.004
        team.model.script("", body=stream(SECRET, field="reasoning", finish="length"), times=0)
        thread = await ask(team)
        assert shown(team, thread) == turn.ONLY_THOUGHT
        assert len(team.model.requests) == 1


async def test_thinking_in_the_middle_of_an_answer_without_an_end_is_marked(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=stream("Sure.\n", f"<think>{SECRET}"))
        thread = await ask(team)
        assert shown(team, thread).strip() == "Sure."
        assert turn.CUT["thinking"] in under(team, thread)


async def test_reasoning_that_nothing_opened_is_removed_once_it_is_known_and_not_shown_again(
    tmp_path: Path,
) -> None:
    thought, *rest = stream(SECRET, "\n</think>\n\n", "The ", "release ", "is on Friday.")
    body = (thought, b"".join(rest))  # a pause after what nobody can tell from an answer yet
    async with workspace(tmp_path) as team:
        team.model.script("", body=body, tokens_per_s=0.6)
        thread = await ask(team)
        assert "user asks" in str(list_all(team)), "it was shown before anybody could know"
        assert shown(team, thread) == "The release is on Friday."
        seen = len(list_all(team))
        team.model.script("", body=body, tokens_per_s=1)
        await ask(team, "sure?", thread)
        assert shown(team, thread) == "The release is on Friday."
        assert "user asks" not in str(list_all(team)[seen:])
        assert "user asks" not in str(team.model.requests[-1].body)
    assert remembered(tmp_path) == [("The release is on Friday.", 1)] * 2


async def test_an_answer_that_breaks_off_in_its_stream_is_marked(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=load("error_mid"))
        thread = await ask(team)
        assert shown(team, thread) == "The release is"
        assert turn.CUT["broken"] in under(team, thread)


@pytest.mark.parametrize("name", ["error_string", "event_error_sse", "error_in_stream_first"])
async def test_an_error_instead_of_an_answer_is_one_sentence(tmp_path: Path, name: str) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", body=load(name), times=0)
        thread = await ask(team)
        assert shown(team, thread) == Overloaded().notice
        assert len(team.model.requests) == 3


async def test_formulas_are_read_as_text_and_prices_and_code_stay_as_they_are(tmp_path: Path) -> None:
    said = (
        "The root is \\( x = \\frac{-b \\pm \\sqrt{b^2-4ac}}{2a} \\), for $5 or $10.\n\n"
        "\\[\n\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}\n\\]\n\n"
        "Run `echo $HOME_$x^2$`:\n\n```sh\necho \\(a\\) $b_1$\n```\nDone."
    )
    async with workspace(tmp_path) as team:
        team.model.script("", body=stream(*(said[at : at + 3] for at in range(0, len(said), 3))))
        thread = await ask(team)
        assert shown(team, thread) == (
            "The root is x = (-b ± √(b²-4ac))/(2a), for $5 or $10.\n\n∑ᵢ₌₁ⁿ i = n(n+1)/2\n\n"
            "Run `echo $HOME_$x^2$`:\n\n```sh\necho \\(a\\) $b_1$\n```\nDone."
        )
    assert remembered(tmp_path) == [(said, 1)], "the model reads its own words again"


async def test_a_secret_in_an_answer_is_told_to_the_operator_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = SECRETS["slack bot"]
    async with workspace(tmp_path) as team:
        before = redactions()
        team.model.script(f"It is {token}, and again Bearer a1B2c3D4e5F6g7H8i9J0k1.")
        thread = await ask(team)
        assert shown(team, thread) == "It is [redacted], and again Bearer [redacted]."
        [told] = [record.getMessage() for record in caplog.records if "taken out" in record.getMessage()]
        assert re.fullmatch(r"2 secrets were taken out of the answer \S+", told)
        assert redactions() == before + 2
        assert token not in caplog.text + METRICS.render()
        team.model.script("Nothing to hide.")
        await ask(team, "and now?", thread)
        assert redactions() == before + 2


def redactions() -> int:
    found = re.search(r"^parley_redactions_total (\d+)", METRICS.render(), re.MULTILINE)
    return int(found[1]) if found else 0
