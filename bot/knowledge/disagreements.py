"""Documents that contradict each other: the same sentence with another number, date or name elsewhere.

A model is told to name both; where it did not, this finds what the answer's own quotes contradict, so that a
person is told either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bot.knowledge.index import Passage
from bot.knowledge.quotes import Quote, list_quoted_sentences
from bot.knowledge.stated_numbers import list_numbers, list_spelled
from bot.knowledge.support import measure_touch

_ALIKE = 0.75  # share of each sentence's words that the other has
_MOST = 2  # are told
_LONGEST = 200  # characters of a sentence that is told
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|(?<=[。！？])")
OTHERWISE = "{title} ({added}) says otherwise: “{sentence}”"


def find_disagreement(quotes: Sequence[Quote], passages: Sequence[Passage]) -> tuple[str, ...]:
    """A note for each sentence of another document that says the same of another number, newest first."""
    given = [quote for quote in quotes if quote.passage < len(passages)]
    quoted = {passages[quote.passage].document for quote in given}
    others = sorted((one for one in passages if one.document not in quoted), key=lambda one: -one.added_at)
    sentences = [
        sentence
        for quote in given
        for sentence in list_quoted_sentences(quote.text, passages[quote.passage].text)
    ]
    found = dict.fromkeys(_write(one, other) for one in others for other in _list_opposed(sentences, one))
    return tuple(found)[:_MOST]


def _list_opposed(sentences: Sequence[str], passage: Passage) -> Iterator[str]:
    for other in _SENTENCE.split(passage.text):
        if any(_contradict(sentence, other) for sentence in sentences):
            yield other


def _contradict(one: str, other: str) -> bool:
    """Two sentences of the same words, with numbers in both, and none in common."""
    mine, theirs = _read(one), _read(other)
    if not mine or not theirs or mine & theirs:
        return False
    return measure_touch(_without(one), other) >= _ALIKE and measure_touch(_without(other), one) >= _ALIKE


def _read(sentence: str) -> frozenset[str]:
    return frozenset().union(*list_numbers(sentence), *list_spelled(sentence))


def _without(sentence: str) -> str:
    return re.sub(r"\d[\d.,:]*", " ", sentence)


def _write(passage: Passage, sentence: str) -> str:
    added = datetime.fromtimestamp(passage.added_at, UTC)
    where = ", ".join(filter(None, (passage.title, passage.place)))
    return OTHERWISE.format(title=where, added=f"{added:%Y-%m-%d}", sentence=sentence.strip()[:_LONGEST])
