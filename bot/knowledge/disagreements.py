"""Documents that contradict each other: the same sentence with another number, date or name elsewhere.

A model is told to name both; where it did not, this finds what the answer's own quotes contradict, so that a
person is told either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bot.documents.values import NOTE
from bot.knowledge.contradictions import contradict_in_numbers, contradict_in_words
from bot.knowledge.index import Passage
from bot.knowledge.quotes import Quote, list_quoted_sentences

_MOST = 2  # are told
_LONGEST = 200  # characters of a sentence that is told
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|(?<=[。！？])")
OTHERWISE = "{where} says otherwise: “{sentence}”"


def find_disagreement(quotes: Sequence[Quote], passages: Sequence[Passage]) -> tuple[str, ...]:
    """A note for each sentence of another document that contradicts what is quoted, newest first."""
    given = [quote for quote in quotes if quote.passage < len(passages)]
    quoted = {passages[quote.passage].document for quote in given}
    others = sorted((one for one in passages if one.document not in quoted), key=lambda one: -one.added_at)
    sentences = [
        (sentence, passages[quote.passage])
        for quote in given
        for sentence in list_quoted_sentences(quote.text, passages[quote.passage].text)
    ]
    found = dict.fromkeys(
        tell_otherwise(one, other)
        for one in others
        for sentence, quoted_from in sentences
        for other in list_opposed(sentence, one, by_note=quoted_from.kind == NOTE)
    )
    return tuple(found)[:_MOST]


def list_opposed(said: str, passage: Passage, *, by_note: bool) -> Iterator[str]:
    """The sentences of a passage that contradict what is said: in a number; where it is said in a note, or
    against one, in a name or another word as well."""
    for other in _SENTENCE.split(passage.text):
        if contradict_in_numbers(said, other) or (
            (by_note or passage.kind == NOTE) and contradict_in_words(said, other)
        ):
            yield other.strip()


def split_statements(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def tell_otherwise(passage: Passage, sentence: str) -> str:
    """That a passage says otherwise, and what, for a person. A note is told by who said it and when, for its
    title is its words again."""
    if passage.kind == NOTE:
        where = f"The {passage.place}"
    else:
        added = datetime.fromtimestamp(passage.added_at, UTC)
        where = f"{', '.join(filter(None, (passage.title, passage.place)))} ({added:%Y-%m-%d})"
    return OTHERWISE.format(where=where, sentence=sentence[:_LONGEST].rstrip(".。"))
