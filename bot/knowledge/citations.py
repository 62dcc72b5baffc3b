"""The sources of an answer: which statement stands where, as [1], [2] … behind it.

A model may write the numbers of the passages behind what it says; where it does not, or writes others than it
quotes, each statement gets those of its quotes that say most of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.values import Source
from bot.knowledge.index import Passage
from bot.knowledge.quotes import Quote
from bot.knowledge.support import share_said

_NUMBERS = re.compile(r"[ ]?\[(\d+(?:, ?\d+)*)\]")
# Not behind one letter, as in "z. B.", nor behind a number, which may be a day.
_STATEMENT_END = re.compile(
    r"(?<=[^\W\d][^\W\d][.!?])(?=\s)|(?<=[)\]”\"»%][.!?])(?=\s)|(?<=\d{3}\.)(?=\s)|(?<=[。！？])|(?=\n)"
)
_CODE = "```"
_NEARLY = 0.6  # of what the best quote says of a statement
_HAS_WORDS = re.compile(r"\w")


def cite(answer: str, quotes: Sequence[Quote], passages: Sequence[Passage]) -> tuple[str, tuple[Source, ...]]:
    """The answer with its marks, and what they stand for, in the order in which they are named.

    A quote of no passage, but of what we say of ourselves, has no mark.
    """
    quoted = [quote for quote in quotes if quote.passage < len(passages)]
    if not quoted:
        return _NUMBERS.sub("", answer), ()
    numbers, written = dict[tuple[object, ...], int](), list[str]()
    parts = [answer] if _CODE in answer else _STATEMENT_END.split(answer)
    for place, part in enumerate(parts, start=1):
        marks = list[int]()
        for quote in _find_quotes(part, quoted) if _states(part, "".join(parts[place:])) else ():
            marks.append(numbers.setdefault(_place(passages[quote.passage]), len(numbers) + 1))
        written.append(_mark(_NUMBERS.sub("", part), sorted(set(marks))))
    return "".join(written), _list_sources(numbers, quoted, passages)


def _find_quotes(statement: str, quoted: Sequence[Quote]) -> Sequence[Quote]:
    """The quotes on which a statement stands: those it names, else those that say most of it."""
    named = {int(n) - 1 for mark in _NUMBERS.findall(statement) for n in mark.split(",")}
    plain = _NUMBERS.sub("", statement).strip()
    if own := [quote for quote in quoted if quote.passage in named]:
        return own
    shares = [share_said(plain, quote.text) for quote in quoted]
    most = max(shares)
    return [quote for quote, share in zip(quoted, shares, strict=True) if share >= _NEARLY * most]


def _states(part: str, rest: str) -> bool:
    """Whether something is said here: what ends with a colon leads to the rest, if there is any."""
    plain = _NUMBERS.sub("", part).strip()
    leads = plain.endswith((":", "：")) and _HAS_WORDS.search(_NUMBERS.sub("", rest))
    return bool(_HAS_WORDS.search(plain) and not leads)


def _mark(statement: str, numbers: Sequence[int]) -> str:
    """A statement with its numbers behind it, before the blanks that end it."""
    body = statement.rstrip()
    marks = "".join(f"[{number}]" for number in numbers)
    if not marks:
        return statement
    gap = "\n" if body.endswith(_CODE) else " " if body[-1] < "\u2e80" else ""
    return f"{body}{gap}{marks}{statement[len(body) :]}"


def _place(passage: Passage) -> tuple[object, ...]:
    """The same for passages that a person would look up in the same place."""
    if not passage.document:
        return ("", "typed")
    return passage.document, passage.place or passage.heading or passage.chunk


def _list_sources(
    numbers: dict[tuple[object, ...], int], quoted: Sequence[Quote], passages: Sequence[Passage]
) -> tuple[Source, ...]:
    sources = dict[int, Source]()
    for quote in quoted:
        passage = passages[quote.passage]
        number = numbers.get(_place(passage), 0)
        if number and number not in sources:
            where = passage.place or passage.heading
            sources[number] = Source(number, passage.title, where, passage.link, quote.text)
        elif number and quote.text not in sources[number].quote:
            one = sources[number]
            sources[number] = Source(number, one.title, one.place, one.link, f"{one.quote} … {quote.text}")
    return tuple(sources[number] for number in sorted(sources))
