"""Server-sent events come out whole however their bytes were cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.provider.sse import EVENT_LIMIT_BYTES, EventParser

STREAM = (
    b": hello\n\n"
    b'data: {"a": 1}\n\n'
    b'event: x\r\nid: 7\r\ndata: {"b":\r\ndata:  2}\r\n\r\n'
    b"data:no blank\r\rretry: 5\n\n"
    b"data: [DONE]\n\n"
)
DATA = [b'{"a": 1}', b'{"b":\n 2}', b"no blank", b"[DONE]"]


def read(parts: list[bytes]) -> list[bytes]:
    parser = EventParser()
    return [data for part in parts for data in parser.feed(part)] + parser.finish()


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_any_cutting_gives_the_same_events(at: list[int]) -> None:
    ends = [0, *sorted(at), len(STREAM)]
    parts = [STREAM[a:b] for a, b in pairwise(ends)]
    assert read(parts) == DATA


def test_one_event_per_part_is_read_as_it_comes() -> None:
    parser = EventParser()
    assert parser.feed(b"data: one\n\n") == [b"one"]
    assert parser.feed(b"data: two\n\ndata: three\n") == [b"two"]
    assert parser.feed(b"\n") == [b"three"]


def test_a_last_event_without_its_empty_line_is_read_at_the_end() -> None:
    assert read([b"data: tail"]) == [b"tail"]
    assert read([b""]) == []


WITHOUT_EMPTY_LINES = (
    b'data: {"a": 1}\ndata: {"b": {"c": 2}}\ndata:{"d": 3}\n\ndata: {"e": 4}\ndata: [DONE]\n'
)


@given(st.lists(st.integers(0, len(WITHOUT_EMPTY_LINES)), max_size=30))
def test_events_without_an_empty_line_between_them_are_told_apart(at: list[int]) -> None:
    ends = [0, *sorted(at), len(WITHOUT_EMPTY_LINES)]
    found = read([WITHOUT_EMPTY_LINES[a:b] for a, b in pairwise(ends)])
    assert found == [b'{"a": 1}', b'{"b": {"c": 2}}', b'{"d": 3}', b'{"e": 4}', b"[DONE]"]


def test_events_without_an_empty_line_are_read_while_they_come() -> None:
    parser = EventParser()
    assert parser.feed(b'data: {"a": 1}\n') == []
    assert parser.feed(b'data: {"b": 2}\n') == [b'{"a": 1}']


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b'event: error\ndata: {"message": "m"}\n\n', b'{"error": {"message": "m"}}'),
        (b'event:error\r\ndata: {"error": {"code": 1}}\r\n\r\n', b'{"error": {"error": {"code": 1}}}'),
        (b"event: error\ndata: it broke\n\n", b'{"error": "it broke"}'),
        (b"event: error\n\n", b'{"error": "error"}'),
        (b'event: errors\ndata: {"a": 1}\n\n', b'{"a": 1}'),
    ],
)
def test_an_event_named_error_says_so_in_its_data(event: bytes, data: bytes) -> None:
    assert read([event]) == [data]


def test_an_event_without_end_is_refused() -> None:
    parser = EventParser()
    with pytest.raises(ValueError, match="larger"):
        for _ in range(EVENT_LIMIT_BYTES // 65_536 + 2):
            parser.feed(b"x" * 65_536)
