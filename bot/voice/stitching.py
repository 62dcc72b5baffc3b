"""Joining the transcripts of two parts, so that no word at the cut is lost or doubled.

Where the cut fell into a pause there is nothing to do. Where there was none, both parts hold the same few
seconds: the end of the one and the beginning of the other are laid over each other at the shift where most
words agree, and joined behind the longest run of words that do. The word that was cut through stands wrong on
one side only, outside that run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from bot.voice.transcript import Segment

# A word; in scripts without spaces, one character.
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    r"|[^\W_]+(?:['’][^\W_]+)*"
)
WORDS_PER_S = 12  # fast speech in characters
MORE_WORDS = 8

# What a disagreeing pair of words speaks against a shift; at the two ends, words cut in half are expected.
AGAINST = 0.5
AGAINST_AT_END = 0.25
ENOUGH = 0.5


def join_parts(before: Sequence[Segment], after: Sequence[Segment], overlap_s: float) -> list[Segment]:
    """Both in one, times as they are. `overlap_s`: how much of the recording is in both; 0 is a clean cut."""
    if not (overlap_s and before and after):
        return [*before, *after]
    most = int(overlap_s * WORDS_PER_S) + MORE_WORDS
    ends, starts = _words(before)[-most:], _words(after)[:most]
    run = _run([w for w, _ in ends], [w for w, _ in starts])
    if not run:
        return [*before, *after]
    last, first = run
    kept, rest = _until(before, ends[last][1]), _from(after, starts[first][1])
    if rest and rest[0] not in after:  # the rest of a sentence goes on behind its beginning
        begun, going_on = kept.pop(), rest.pop(0)
        kept.append(replace(begun, text=begun.text + going_on.text, end_s=max(begun.end_s, going_on.end_s)))
    return [*kept, *rest]


def _words(segments: Sequence[Segment]) -> list[tuple[str, int]]:
    """Each word with the place of its end, in characters over all texts."""
    offsets = accumulate((len(s.text) for s in segments), initial=0)
    return [
        (match.group().casefold(), offset + match.end())
        for s, offset in zip(segments, offsets, strict=False)
        for match in _WORD.finditer(s.text)
    ]


def _run(ends: list[str], starts: list[str]) -> tuple[int, int] | None:
    """Positions, in both lists, of the last word of the longest agreeing run at the best shift."""
    best, shift = ENOUGH, 0
    for overlap in range(1, len(ends) + 1):
        score = _score(ends[-overlap:], starts)
        if score >= best:
            best, shift = score, overlap
    if not shift:
        return None
    same = [a == b for a, b in zip(ends[-shift:], starts, strict=False)]
    length = list(accumulate(same, lambda run, agrees: run + 1 if agrees else 0, initial=0))[1:]
    end = length.index(max(length))
    return len(ends) - shift + end, end


def _score(ends: list[str], starts: list[str]) -> float:
    """How much speaks for laying `starts` over `ends` from its first word on."""
    pairs = list(zip(ends, starts, strict=False))
    score = 0.0
    for i, (a, b) in enumerate(pairs):
        at_end = i == 0 or i == len(ends) - 1
        score += 1 if a == b else -(AGAINST_AT_END if at_end else AGAINST)
    return score


def _until(segments: Sequence[Segment], end: int) -> list[Segment]:
    """Everything before a place, in characters over all texts."""
    kept = []
    for s in segments:
        if end <= 0:
            break
        kept.append(s if end >= len(s.text) else replace(s, text=s.text[:end]))
        end -= len(s.text)
    return kept


def _from(segments: Sequence[Segment], start: int) -> list[Segment]:
    """Everything from a place on, beginning with the punctuation behind that word."""
    kept = []
    for s in segments:
        text = s.text[max(0, start) :]
        start -= len(s.text)
        if text.strip():
            kept.append(replace(s, text=text))
    return kept
