"""Transcripts as text, SubRip, WebVTT and JSON."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.voice import captions
from bot.voice.clip_card import ClipCard
from bot.voice.transcript import Segment

LONG = (
    "It is a long sentence that nobody could read in the time it stands on the screen, so it is cut in two."
)
CARD = ClipCard(
    id="1",
    name="meeting.mp4",
    length_s=3_700.5,
    model="whisper-1",
    language="de",
    segments=(Segment(0, 1.2, "Guten Tag."), Segment(3_661.0405, 3_700.5, "Das war's <und> Schluß & Punkt.")),
    english=(Segment(0, 1.2, "Good day."), Segment(3_661.0405, 3_700.5, "That was it.")),
    cost_usd=Decimal("0.37"),
)


def test_text_is_the_words() -> None:
    assert captions.text(CARD) == "Guten Tag. Das war's <und> Schluß & Punkt.\n"
    assert captions.text(CARD, english=True) == "Good day. That was it.\n"


def test_japanese_words_are_joined_without_spaces() -> None:
    card = ClipCard("1", "a", 2, "m", "ja", (Segment(0, 1, "今日は"), Segment(1, 2, "いい天気です。")))
    assert captions.text(card) == "今日はいい天気です。\n"


def test_subrip() -> None:
    assert captions.srt(CARD) == (
        "1\n00:00:00,000 --> 00:00:01,200\nGuten Tag.\n\n"
        "2\n01:01:01,040 --> 01:01:40,500\nDas war's <und> Schluß & Punkt.\n"
    )


def test_webvtt_escapes_what_would_be_markup() -> None:
    assert captions.vtt(CARD) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.200\nGuten Tag.\n\n"
        "01:01:01.040 --> 01:01:40.500\nDas war's &lt;und&gt; Schluß &amp; Punkt.\n"
    )


def test_webvtt_tells_the_speaker() -> None:
    card = ClipCard("1", "a", 2, "m", segments=(Segment(0, 1, "Hi", "A"),))
    assert "<v A>Hi" in captions.vtt(card)
    assert "\nA: Hi\n" in captions.srt(card)


def test_json_has_the_shape_that_whispers_has() -> None:
    written = json.loads(captions.as_json(CARD))
    assert written["language"] == "de"
    assert written["duration"] == 3_700.5
    assert written["segments"][0] == {"id": 0, "start": 0, "end": 1.2, "text": "Guten Tag."}
    assert written["cost_usd"] == "0.37"
    assert json.loads(captions.as_json(CARD, english=True))["language"] == "en"


def test_what_is_too_long_for_a_cue_is_shown_one_after_the_other() -> None:
    card = ClipCard("1", "a", 10, "m", "en", (Segment(0, 10, LONG),))
    cues = captions.srt(card).split("\n\n")
    assert len(cues) == 2
    assert all(len(line) <= 42 for cue in cues for line in cue.splitlines()[2:])
    (end,) = re.findall(r"--> (\S+)", cues[0])
    (start,) = re.findall(r"(\S+) -->", cues[1])
    assert start == end


words = st.text(alphabet="abc 日.-><&\n\r", min_size=1, max_size=200)
spans = st.floats(0, 90_000)


@given(st.lists(st.tuples(spans, spans, words), max_size=5), st.sampled_from(["en", "ja", ""]))
def test_every_cue_has_words_and_a_time_that_goes_forward(
    rows: list[tuple[float, float, str]], language: str
) -> None:
    said = tuple(Segment(min(a, b), max(a, b), text) for a, b, text in rows)
    card = ClipCard("1", "a", 90_000, "m", language, said)
    for cue in filter(None, captions.srt(card).strip("\n").split("\n\n")):
        number, times, *lines = cue.split("\n")
        assert number.isdigit()
        start, end = times.split(" --> ")
        assert start < end or len(start) != len(end)
        assert lines
        assert all(line.strip() for line in lines)


@pytest.mark.parametrize("format", captions.FORMATS)
def test_a_recording_without_words_is_an_empty_file_in_every_format(format: str) -> None:
    made = captions.FORMATS[format](ClipCard("1", "a", 5, "m"))
    assert made.endswith("\n") or not made
    assert captions.ENDINGS.keys() == captions.FORMATS.keys()
