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
        ("eos_token", "stop"),
        ("STOP", "stop"),
        ("something_new", "stop"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("SAFETY", "filtered"),
        ("tool_calls", "tools"),
        ("function_call", "tools"),
        ("error", "broken"),
        ("insufficient_system_resource", "broken"),
        ("null", None),
        ("", None),
        (None, None),
        ("None", None),
    ],
)
def test_finish_reasons(reason: str | None, finish: str | None) -> None:
    reader = ChoicesReader()
    reader.read_event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    assert reader.finish == finish


@pytest.mark.parametrize("first", ["length", "content_filter", "tool_calls", "error"])
def test_a_good_end_that_is_told_later_makes_no_cut_answer_whole(first: str) -> None:
    reader = ChoicesReader()
    text_of(reader, chunk({"content": "a"}), choice(finish_reason=first), choice(finish_reason="stop"))
    assert reader.finish not in (None, "stop")


def choice(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, **fields}]}


def read(reader: StreamReader, *data: bytes) -> str:
    """The text of the data of events that come one by one."""
    texts = []
    for one in data:
        text, fault = reader.read_events([one])
        assert fault is None
        texts.append(text)
    return "".join(texts) + reader.rest()


def content(text: str) -> bytes:
    """The data of a chat event; `text` is the inside of a JSON string."""
    return b'{"choices": [{"index": 0, "delta": {"content": "%b"}}]}' % text.encode()


@pytest.mark.parametrize(
    "event",
    [
        b"null",
        b"[]",
        b"42",
        b'"x"',
        b"ping",
        b"[HEARTBEAT]",
        b"[" * 10_000,
        b"{}",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"choices": [null]}',
        b'{"choices": [{"index": 0, "delta": null}]}',
        b'{"choices": [{"delta": "x"}]}',
        b'{"choices": [{"index": 7, "delta": {"content": "another"}}]}',
        b'{"choices": [{"index": 0, "delta": {"content": null}}], "error": null}',
        b'{"choices": [{"index": 0, "delta": {"content": []}}]}',
        b'{"choices": [{"index": 0, "delta": {"content": {"type": "reasoning", "text": "hm"}}}]}',
        b'{"choices": [{"index": 0, "delta": {"content": ""}, "x": NaN}]}',
        b'{"usage": "none"}',
    ],
)
def test_an_odd_event_costs_nothing(event: bytes) -> None:
    assert read(ChoicesReader(), content("a"), event, content("b")) == "ab"


@pytest.mark.parametrize(
    "event", [b'{"choices": [{"delta": {"con', b'{"a": "\xff"}', b"{" * 10_000, b'{"a":' * 100_000]
)
def test_an_event_that_is_torn_ends_the_answer(event: bytes) -> None:
    reader = ChoicesReader()
    text, fault = reader.read_events([content("a"), event, content("b")])
    assert text == "a"
    assert isinstance(fault, ValueError)


def test_half_characters_find_each_other_or_become_a_sign_of_what_is_missing() -> None:
    low, high = r"\ude00", r"\ud83d"
    assert read(ChoicesReader(), content(f"a{high}"), content(f"{low}b")) == "a😀b"
    assert read(ChoicesReader(), content(f"a{high}"), content(""), content(low)) == "a😀"
    assert read(ChoicesReader(), content(f"a{high}"), content("b")) == "a\ufffdb"
    assert read(ChoicesReader(), content(f"{low}b{high}")) == "\ufffdb\ufffd"
    assert read(ChoicesReader(), content(high), content(high), content(low)) == "\ufffd😀"


def test_a_list_of_parts_is_its_text_without_its_reasoning() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "reasoning", "text": "hm"},
        {"type": "text", "text": "Fri"},
        "day",
        {"text": "."},
        {"type": "image_url", "image_url": {}},
        None,
    ]
    assert text_of(ChoicesReader(), choice(delta={"content": parts})) == "Friday."
    assert text_of(ChoicesReader(), choice(message={"content": parts}, delta=None)) == "Friday."


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_in_a_field_of_its_own_is_counted_and_not_read(name: str) -> None:
    reader = ChoicesReader()
    assert (
        text_of(reader, chunk({name: "hm", "content": None}), chunk({name: None, "content": "Yes"})) == "Yes"
    )
    assert (reader.reasons_apart, reader.unread) == (True, ["hm"])


def test_what_comes_after_the_end_is_only_usage() -> None:
    reader = ChoicesReader()
    after = b'{"choices": [{"index": 0, "delta": {"content": "more"}}], "usage": {"prompt_tokens": 5}}'
    assert read(reader, content("a"), b" [DONE]", after) == "a"
    assert (reader.finish, reader.usage) == ("stop", {"prompt_tokens": 5})


def test_an_end_without_any_answer_is_no_good_end() -> None:
    reader = ChoicesReader()
    assert read(reader, b'{"choices": []}', b"[DONE]") == ""
    assert reader.finish is None


def test_usage_beside_the_choices_is_found() -> None:
    reader = ChoicesReader()
    reader.read_event(choice(finish_reason="stop") | {"x_groq": {"usage": {"prompt_tokens": 5}}})
    assert reader.usage == {"prompt_tokens": 5}


def test_lines_of_json_are_read_one_by_one() -> None:
    body = content("Fri") + b"\n" + content("day") + b"\n[DONE]\n"
    assert read(ChoicesReader(), body) == "Friday"


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


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_response_that_failed_is_broken(status: str) -> None:
    reader = ItemsReader()
    assert (
        text_of(reader, {"type": f"response.{status}", "response": {"status": status, "error": None}}) == ""
    )
    assert reader.finish == "broken"


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
        (ChoicesReader(), {"error": {"error": {"code": 5}}}),
        (ChoicesReader(), {"choices": [{"index": 0, "error": {"code": 502}, "finish_reason": "error"}]}),
        (ChoicesReader(), {"object": "error", "message": "m", "code": 400}),
        (ChoicesReader(), {"type": "server_error", "message": "m"}),
        (ChoicesReader(), {"detail": "Internal Server Error"}),
        (ItemsReader(), {"error": {"message": "m"}}),
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


def test_a_response_without_deltas_says_its_text_at_its_end() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    response = {"object": "response", "status": "completed", "output": [item]}
    assert text_of(ItemsReader(), {"type": "response.completed", "response": response}) == "Hi"
    delta = {"type": "response.output_text.delta", "delta": "Hi"}
    assert text_of(ItemsReader(), delta, {"type": "response.completed", "response": response}) == "Hi"


def test_reasoning_items_are_not_read() -> None:
    reasoning = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]}
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    whole = {"object": "response", "status": "completed", "output": [reasoning, message]}
    assert text_of(ItemsReader(), whole) == "Hi"
    reader = ItemsReader()
    assert text_of(reader, {"type": "response.reasoning_text.delta", "delta": "hm"}) == ""
    assert reader.reasons_apart


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_item.added", "item": {"type": "function_call", "name": "search"}},
        {"object": "response", "status": "completed", "output": [{"type": "function_call"}]},
    ],
)
def test_a_function_call_is_a_wish_for_a_tool(event: dict[str, Any]) -> None:
    reader = ItemsReader()
    completed = {"type": "response.completed", "response": {"status": "completed"}}
    assert text_of(reader, event, completed) == ""
    assert reader.finish == "tools"
