"""A transcript as text, SubRip, WebVTT, TSV or JSON: pure functions over a clip card."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.voice.clip_card import ClipCard
from bot.voice.transcript import Segment

# What one can read while it stands. Source: BBC subtitle guidelines: two lines of about 40 characters.
LINE_CHARACTERS = 42
CUE_CHARACTERS = 2 * LINE_CHARACTERS
_WIDE = frozenset({"ja", "zh", "yue", "ko"})  # letters twice as wide


def text(card: ClipCard, *, english: bool = False) -> str:
    """The words, one paragraph or one for each change of speaker."""
    ending = f"\n[{card.what_is_missing}]\n" if card.cut else ""
    return (card.english_text if english else card.text) + "\n" + ending


def srt(card: ClipCard, *, english: bool = False) -> str:
    """SubRip: numbered cues, comma before the milliseconds."""
    rows = []
    for number, cue in enumerate(_cues(card, english), 1):
        words = f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
        rows.append(f"{number}\n{_span(cue, ',')}\n{_folded(words, card, english)}\n")
    return "\n".join(rows)


def vtt(card: ClipCard, *, english: bool = False) -> str:
    """WebVTT. Source: W3C WebVTT: `&` and `<` have to be escaped, `<v NAME>` tells the speaker."""
    rows = ["WEBVTT\n"]
    for cue in _cues(card, english):
        words = _escaped(_folded(cue.text, card, english))
        voice = f"<v {_escaped(cue.speaker)}>" if cue.speaker else ""
        rows.append(f"{_span(cue, '.')}\n{voice}{words}\n")
    if card.cut:
        rows.append(f"NOTE {card.what_is_missing}\n")
    return "\n".join(rows)


def tsv(card: ClipCard, *, english: bool = False) -> str:
    """Start and end in milliseconds and the words, as Whisper's command writes it."""
    segments = card.english if english else card.segments
    rows = [f"{s.start_s * 1000:.0f}\t{s.end_s * 1000:.0f}\t{' '.join(s.text.split())}\n" for s in segments]
    return "".join(["start\tend\ttext\n", *rows])


def as_json(card: ClipCard, *, english: bool = False) -> str:
    """The shape of OpenAI's verbose_json, with what else is known."""
    segments = card.english if english else card.segments
    values = {
        "task": "translate" if english else "transcribe",
        "language": "en" if english else card.language,
        "duration": round(card.length_s, 3),
        "cut": card.cut,
        "promised_duration": round(card.promised_s, 3) or None,
        "text": card.english_text if english else card.text,
        "segments": [
            {"id": i, "start": round(s.start_s, 3), "end": round(s.end_s, 3), "text": s.text}
            | ({"speaker": s.speaker} if s.speaker else {})
            for i, s in enumerate(segments)
        ],
        "times": "model" if card.timed else "estimated",
        "speakers": dict(card.speakers),
        "model": card.model,
        "cost_usd": None if card.cost_usd is None else str(card.cost_usd),
    }
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[..., str]] = {"text": text, "srt": srt, "vtt": vtt, "tsv": tsv, "json": as_json}
ENDINGS = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "tsv": ".tsv", "json": ".json"}


def _cues(card: ClipCard, english: bool) -> Iterator[Segment]:
    language = "en" if english else card.language
    for segment in card.english if english else card.segments:
        yield from _split(segment, CUE_CHARACTERS // 2 if language in _WIDE else CUE_CHARACTERS)


def _split(segment: Segment, characters: int) -> Iterator[Segment]:
    """Pieces that fit one cue, each for its share of the time."""
    pieces = textwrap.wrap(segment.text, characters, break_on_hyphens=False)
    letters, at = sum(map(len, pieces)), 0
    length_s = segment.end_s - segment.start_s
    for piece in pieces:
        start = segment.start_s + length_s * at / letters
        at += len(piece)
        yield replace(segment, text=piece, start_s=start, end_s=segment.start_s + length_s * at / letters)


def _folded(words: str, card: ClipCard, english: bool) -> str:
    wide = not english and card.language in _WIDE
    width = LINE_CHARACTERS // 2 if wide else LINE_CHARACTERS
    return "\n".join(textwrap.wrap(words, width, break_on_hyphens=False))


def _span(cue: Segment, comma: str) -> str:
    # A player shows nothing of a cue that ends before it begins.
    return f"{_clock(cue.start_s, comma)} --> {_clock(max(cue.end_s, cue.start_s + 0.001), comma)}"


def _clock(seconds: float, comma: str) -> str:
    minutes, ms = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{comma}{ms % 1000:03}"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
