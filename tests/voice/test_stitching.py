"""Transcripts of two parts become one: no word at the cut lost, none doubled."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.settings import Settings
from bot.core.values import Scope
from bot.voice import clip_card, stitching
from bot.voice.decoding import DecodingLimits, decode_file
from bot.voice.transcriber import Transcriber, TranscriptionRequest
from bot.voice.transcript import Segment
from storage.database import open_engine
from tests.support.audio_files import FORMATS, encode, listen, say
from tests.support.engines import database_url

SCOPE = Scope("T1", "C1", "U1", "T1:C1:1", "answer")


def text_of(before: str, after: str, *, overlap_s: float = 2.5) -> str:
    joined = stitching.join_parts([Segment(0, 10, before)], [Segment(8, 20, after)], overlap_s)
    return " ".join(s.text for s in joined)


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("we meet at nine", "tomorrow in the hall", "we meet at nine tomorrow in the hall"),
        ("we meet at nine tomorrow", "nine tomorrow in the hall", "we meet at nine tomorrow in the hall"),
        ("we meet at nine tomor.", "At nine tomorrow in the hall.", "we meet at nine tomorrow in the hall."),
        ("We met at the house.", "met at the house, and then left", "We met at the house, and then left"),
        ("meet at nine tomorrow", "meet at 9 tomorrow and", "meet at 9 tomorrow and"),
        ("in the house we talked about money", "money in the bank", None),
        ("so he said no, no, no", "said no, no, no, never", "so he said no, no, no, never"),
        ("明日の九時に会い", "九時に会いましょう", "明日の九時に会いましょう"),
        ("พบกันพรุ่งนี้", "พรุ่งนี้เก้าโมง", "พบกันพรุ่งนี้เก้าโมง"),
        ("das ist schön", "", "das ist schön"),
        ("", "das ist schön", "das ist schön"),
    ],
)
def test_what_both_parts_heard_is_said_once(before: str, after: str, joined: str | None) -> None:
    expected = joined or "in the house we talked about money in the bank"
    said = [Segment(0, 10, before)] if before else []
    more = [Segment(8, 20, after)] if after else []
    assert " ".join(s.text for s in stitching.join_parts(said, more, 2.5)) == expected


def test_after_a_clean_cut_nothing_is_compared() -> None:
    assert text_of("very, very", "very good", overlap_s=0) == "very, very very good"


def test_the_word_that_was_cut_through_is_taken_from_the_side_that_heard_it_whole() -> None:
    assert text_of("the new budget for the quar", "jet for the quarter is small") == (
        "the new budget for the quarter is small"
    )


def test_times_go_on_over_the_seam() -> None:
    before = [Segment(0, 5, "one two"), Segment(5, 10, "three four")]
    after = [Segment(8, 11, "three four five"), Segment(11, 15, "six")]
    joined = stitching.join_parts(before, after, 2.5)
    assert [(s.start_s, s.end_s, s.text) for s in joined] == [
        (0, 5, "one two"),
        (5, 11, "three four five"),
        (11, 15, "six"),
    ]


@given(
    words=st.lists(st.integers(0, 200).map("w{}".format), min_size=12, max_size=60, unique=True),
    cut=st.integers(8, 50),
    overlap=st.integers(2, 6),
    garbled=st.booleans(),
)
def test_any_sentence_survives_any_cut(words: list[str], cut: int, overlap: int, garbled: bool) -> None:
    cut = min(cut, len(words) - 3)
    before, after = words[:cut], words[cut - overlap :]
    if garbled:
        before, after = [*before, "uh"], ["uh", *after]
    joined = text_of(" ".join(before), " ".join(after))
    assert joined == " ".join(words)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_makes_joining_fail(before: str, after: str) -> None:
    joined = stitching.join_parts([Segment(0, 1, before)], [Segment(1, 2, after)], 2.5)
    assert joined[0].start_s == 0


class CountingSpeech:
    """A speech model that reads the samples it is sent, and nothing else."""

    def __init__(self, *, timed: bool) -> None:
        self.timed = timed
        self.seconds: list[float] = []

    def pick_model(self, model: str) -> str:
        return model

    async def transcribe(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **more: Any
    ) -> dict[str, Any]:
        self.seconds.append(seconds)
        words = listen(audio)
        reply: dict[str, Any] = {"text": " ".join(word for _, word in words)}
        if self.timed:
            reply["segments"] = [{"start": at, "end": at + 0.32, "text": word} for at, word in words]
        return reply

    translate = transcribe


SPOKEN = [(True, 0), (False, 0), (False, 5)]  # with times or without; with a pause after so many words
CASES = [(format, *SPOKEN[n % 3]) for n, format in enumerate(sorted(FORMATS))]  # each way in three formats


@pytest.mark.parametrize(("container", "timed", "pause_every"), CASES)
async def test_split_and_joined_it_says_the_same_as_in_one_piece(
    container: str, pause_every: int, timed: bool, tmp_path: Path
) -> None:
    spoken = random.Random(container).sample(range(490), 80)
    path = encode(say(spoken, pause_s=0.6, pause_every=pause_every), tmp_path / "clip", container)
    speech = CountingSpeech(timed=timed)
    texts, times = [], []
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for max_s in (3_600, 11):
            into = tmp_path / f"{max_s}"
            into.mkdir()
            wants = DecodingLimits(frozenset(FORMATS), 25 << 20, max_s, 3_600)
            recording = await decode_file(path, "clip", into, wants)
            transcriber = Transcriber(Settings(), engine, speech, lambda model, usage: None)
            transcript, _ = await transcriber.transcribe_parts(
                "transcribe", str(max_s), recording, TranscriptionRequest("clip", SCOPE)
            )
            texts.append(clip_card.join_segments(transcript.segments, "en"))
            times.append({word: s.start_s for s in transcript.segments for word in s.text.split()})
    assert len(speech.seconds) >= 4
    assert texts[0] == " ".join(f"w{i}" for i in spoken)
    assert texts[1] == texts[0]
    if timed:
        assert max(abs(times[0][word] - times[1][word]) for word in times[0]) < 1.0
