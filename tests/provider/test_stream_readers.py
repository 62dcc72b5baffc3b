"""The text, the finish and the usage of an answer, read from the events of each endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseRefusalDeltaEvent

from bot.provider.error_table import StreamError
from bot.provider.stream_readers import ChoicesReader, ItemsReader, StreamReader


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    event = {"choices": [{"index": index, "delta": delta, "finish_reason": finish}], "model": "m"}
    full = {"id": "1", "created": 1, "object": "chat.completion.chunk", **event}
    ChatCompletionChunk.model_validate(full)
    return full


def text_of(reader: StreamReader, *events: dict[str, Any]) -> str:
    return "".join(reader.read_event(event) for event in events)


def test_chat_text_finish_and_usage() -> None:
    reader = ChoicesReader()
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    events = [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk({}, "stop")]
    assert text_of(reader, *events, {"choices": [], "usage": usage}) == "Hi"
    assert (reader.finish, reader.usage, reader.model) == ("stop", usage, "m")


def test_only_the_first_choice_is_read() -> None:
    assert text_of(ChoicesReader(), chunk({"content": "a"}), chunk({"content": "B"}, index=1)) == "a"


def test_a_refusal_stays_filtered_though_the_model_stopped() -> None:
    reader = ChoicesReader()
    assert text_of(reader, chunk({"refusal": "No."}), chunk({}, "stop")) == "No."
    assert reader.finish == "filtered"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "filtered"),
        ("abort", "broken"),
        ("eos", "stop"),
    ],
)
def test_finish_reasons(reason: str, finish: str) -> None:
    reader = ChoicesReader()
    reader.read_event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    assert reader.finish == finish


def test_a_whole_chat_answer_reads_like_a_streamed_one() -> None:
    reader = ChoicesReader()
    whole = {
        "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"x": 1},
    }
    assert (text_of(reader, whole), reader.finish, reader.usage) == ("Hi", "stop", {"x": 1})


def test_a_completion_says_its_text() -> None:
    reader = ChoicesReader()
    assert text_of(reader, {"choices": [{"index": 0, "text": " Hi", "finish_reason": "length"}]}) == " Hi"
    assert reader.finish == "length"


def test_response_events() -> None:
    reader = ItemsReader()
    response = {"object": "response", "status": "completed", "usage": {"input_tokens": 1}, "output": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"status": "in_progress", "model": "m"}},
        {"type": "response.output_text.delta", "delta": "Hi"},
        {"type": "response.completed", "response": response},
    ]
    assert (text_of(reader, *events), reader.finish, reader.usage) == ("Hi", "stop", {"input_tokens": 1})


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "filtered"), ("?", "broken")]
)
def test_an_incomplete_response_says_why(reason: str, finish: str) -> None:
    reader = ItemsReader()
    response = {"status": "incomplete", "incomplete_details": {"reason": reason}}
    reader.read_event({"type": "response.incomplete", "response": response})
    assert reader.finish == finish


def test_a_response_that_refuses_is_filtered() -> None:
    reader = ItemsReader()
    event = {"type": "response.refusal.delta", "delta": "No."}
    place = {"content_index": 0, "item_id": "i", "output_index": 0, "sequence_number": 1}
    ResponseRefusalDeltaEvent.model_validate(event | place)
    completed = {"type": "response.completed", "response": {"status": "completed"}}
    assert text_of(reader, event, completed) == "No."
    assert reader.finish == "filtered"


def test_a_whole_response_says_its_text() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    whole = {"object": "response", "status": "completed", "output": [{"type": "reasoning"}, item]}
    assert text_of(ItemsReader(), whole) == "Hi"


@pytest.mark.parametrize(
    ("reader", "event"),
    [
        (ChoicesReader(), {"error": {"code": "server_error", "message": "m"}}),
        (ChoicesReader(), {"error": "plain"}),
        (ItemsReader(), {"type": "error", "code": "server_error", "message": "m"}),
        (
            ItemsReader(),
            {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}},
        ),
    ],
)
def test_an_error_in_the_stream_is_raised(reader: StreamReader, event: dict[str, Any]) -> None:
    with pytest.raises(StreamError):
        reader.read_event(event)
