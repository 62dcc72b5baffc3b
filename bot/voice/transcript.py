"""What a speech model answered, in our own values: who said what from when to when, in which language.

The models answer in four shapes: text alone, text with segments, with speakers, with several languages. Words
that a model made up for a stretch in which there is no sound are dropped here. Joining parts is
bot/voice/stitching.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.text import languages
from bot.voice.decoding import Span, seconds_of_sound

# Source: openai 3.54, TranscriptionSegment: a segment with both is to be considered silent.
NO_SPEECH = 0.6
FAILED_LOGPROB = -1.0
# Models are up to a second off with their times.
TIME_ERROR_S = 1.0

# A point within a word ("2.3", "example.com") ends no sentence.
_SENTENCE = re.compile(r"(?:[^.!?。！？…]|[.!?…](?=\w))*[.!?。！？…]*[\"'”’)\]]*\s*")


@dataclass(frozen=True, slots=True)
class Segment:
    """Some words in a recording; times in seconds from its beginning."""

    start_s: float
    end_s: float
    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a recording, or in a part of one."""

    language: str  # code; "" when the model did not tell
    segments: tuple[Segment, ...]
    timed: bool  # the times are the model's; else they are estimated from where there is sound


def read_transcript(reply: dict[str, Any], sounds: Sequence[Span], length_s: float) -> Transcript:
    """A speech model's JSON. `sounds` is where there is something to hear, from the part's beginning."""
    rows = reply.get("segments") or ()
    if rows:
        kept = [row for row in rows if not _is_invented(row, sounds)]
        segments = [_segment_from(row) for row in kept if str(row.get("text", "")).strip()]
        return Transcript(_language_of(reply), tuple(segments), timed=True)
    text = str(reply.get("text") or "").strip()
    return Transcript(
        _language_of(reply), tuple(spread_sentences(text, sounds or [(0.0, length_s)])), timed=False
    )


def spread_sentences(text: str, sounds: Sequence[Span]) -> list[Segment]:
    """Sentences laid over the spans with sound, each for as long as its share of the letters."""
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text)]
    sentences = [sentence for sentence in sentences if sentence]
    total_s, letters, at = sum(b - a for a, b in sounds), sum(map(len, sentences)), 0
    segments = []
    for sentence in sentences:
        start = _moment(sounds, total_s * at / letters)
        at += len(sentence)
        segments.append(Segment(start, _moment(sounds, total_s * at / letters, ending=True), sentence))
    return segments


def correct_segments(segments: Sequence[Segment], text: str, length_s: float) -> list[Segment]:
    """What a person says was said. Who said it and when stays known around what was changed.

    `text` is a whole transcript in which speakers are named as in `clip_card.join_segments`.
    """
    segments, pieces = list(segments), _texts_with_speakers(segments)
    rest, before, behind = text.strip(), 0, len(pieces)
    while before < behind and _meet_between_words(pieces[before], rest.removeprefix(pieces[before]), rest):
        rest = rest[len(pieces[before]) :].lstrip()
        before += 1
    while behind > before and _meet_between_words(
        rest.removesuffix(pieces[behind - 1]), pieces[behind - 1], rest
    ):
        behind -= 1
        rest = rest[: -len(pieces[behind])].rstrip()
    start_s = segments[before - 1].end_s if before else 0.0
    end_s = segments[behind].start_s if behind < len(segments) else length_s
    changed = spread_sentences(rest, [(start_s, max(start_s, end_s))])
    return [*segments[:before], *changed, *segments[behind:]]


def _meet_between_words(first: str, second: str, whole: str) -> bool:
    """Are these two the whole, with no word cut through between them?"""
    return first + second == whole and not (first[-1:].isalnum() and second[:1].isalnum())


def _texts_with_speakers(segments: Sequence[Segment]) -> list[str]:
    """Each text as it stands in the whole transcript: after a change of speaker, with the name."""
    speakers = ["", *(s.speaker for s in segments)]
    return [
        f"{s.speaker}: {s.text}" if s.speaker and s.speaker != last else s.text
        for s, last in zip(segments, speakers, strict=False)
    ]


def _moment(sounds: Sequence[Span], sounding_s: float, *, ending: bool = False) -> float:
    """When so many seconds of sound have gone by; at a border, the end of a span or the start of the next."""
    for start, end in sounds:
        if sounding_s < end - start or (ending and sounding_s <= end - start + 1e-6):
            return start + sounding_s
        sounding_s -= end - start
    return sounds[-1][1] if sounds else 0.0


def _segment_from(row: dict[str, Any]) -> Segment:
    start, end = float(row["start"]), float(row["end"])
    return Segment(start, max(start, end), str(row["text"]).strip(), str(row.get("speaker") or ""))


def _is_invented(row: dict[str, Any], sounds: Sequence[Span]) -> bool:
    if row.get("no_speech_prob", 0.0) > NO_SPEECH and row.get("avg_logprob", 0.0) < FAILED_LOGPROB:
        return True
    return seconds_of_sound(sounds, float(row["start"]) - TIME_ERROR_S, float(row["end"]) + TIME_ERROR_S) <= 0


def _language_of(reply: dict[str, Any]) -> str:
    """The code of the language, from a name ("japanese"), a code, or the first of several."""
    several = reply.get("languages") or ()
    first = several[0] if several else reply.get("language") or ""
    return languages.code(str(first.get("code", "") if isinstance(first, dict) else first))
