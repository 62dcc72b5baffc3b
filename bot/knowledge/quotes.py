"""Checking answers against given passages: every quote stands in its passage, and bears on the answer.

The model has to quote what it answers from; a quote that is not in its passage takes the answer down, and one
that has nothing to do with it is no support (bot/knowledge/support.py). Where passages come from is not
decided here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.knowledge.support import supports
from bot.ml.features import strip_invisible
from bot.provider.json_form import find_object

REFUSAL = "No sufficient context for answering the question"
# A refusal with a quote is one all the same.
REFUSALS = (REFUSAL, f"{REFUSAL}.")

# A shorter quote is found in nearly every passage and proves nothing.
MIN_QUOTE_WORDS = 3
_PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "..."}
    | dict.fromkeys("*_`")  # emphasis
)
_WORD = re.compile(r"\w+")
_GAP = re.compile(r"\s*[\[(]?(?:\.{3,}|(?:\. ){2,}\.|…|⋯)[\])]?\s*")
_GAP_WORDS = 2  # beside a gap; single words are found in order nearly everywhere
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+|(?<=[。！？])")
_COLUMNS = re.compile(r"[|\t;]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


# Why there is no answer: the model said none of the form, or that it found none; a quote that is not where it
# says, or says something else; no model was asked, or not before somebody wants that.
Refused = Literal["", "form", "nothing found", "not quoted", "not supported", "not asked", "not yet"]


@dataclass(frozen=True, slots=True)
class Quote:
    passage: int  # position among the passages given
    text: str


@dataclass(frozen=True, slots=True)
class Grounded:
    """An answer with the quotes it stands on, or REFUSAL with none; `nearest` is the passage closest."""

    text: str
    quotes: tuple[Quote, ...] = ()
    nearest: int | None = None
    why: Refused = ""

    @property
    def refused(self) -> bool:
        return not self.quotes


def is_quoted(quote: str, passage: str) -> bool:
    """Does the quote stand in the passage word for word? Case, spacing and typography do not matter.

    Where it leaves something out, "…", what stands around that is looked for in its order.
    """
    if _is_all(quote, passage):
        return True  # an owner's answer is often a word or a number
    given = _normalise(passage)
    if _find(quote, given, 0, words=MIN_QUOTE_WORDS) >= 0:
        return True
    parts = [part for part in _GAP.split(quote) if part.strip()]
    least = MIN_QUOTE_WORDS if len(parts) == 1 else _GAP_WORDS
    at = 0
    for part in parts:
        at = _find(part, given, at, words=least)
        if at < 0:
            return False
    return bool(parts)


def list_quoted_sentences(quote: str, passage: str) -> list[str]:
    """The sentences and lines of a passage in which a quote stands, and of a row of a table its header: a
    model quotes the half of a sentence, and says what the other half says."""
    sentences = [part for part in _SENTENCE_END.split(passage) if part.strip()]
    if _is_all(quote, passage):
        return sentences
    given, spans = "", list[tuple[int, int]]()
    for sentence in sentences:
        plain = _make_plain(sentence)
        spans.append((len(given), len(given) + len(plain)))
        given += f"{plain} "
    found = set[int]()
    for part in (quote, *_GAP.split(quote)):
        end = _find(part, given, 0, words=_GAP_WORDS)
        begin = end - len(_normalise(part))
        found |= {at for at, (first, last) in enumerate(spans) if end >= 0 and begin < last and first < end}
    found |= {_find_header(sentences, at) for at in found}
    return [sentences[at] for at in sorted(found)]


def find_span(quote: str, passage: str) -> tuple[int, int]:
    """From where to where in a passage the sentences of a quote stand."""
    sentences = list_quoted_sentences(quote, passage) or [passage]
    begin = passage.find(sentences[0])
    return begin, max(begin, passage.find(sentences[-1], begin)) + len(sentences[-1])


def _find_header(sentences: Sequence[str], row: int) -> int:
    """The first line of the table that a row belongs to; the row itself where it is none."""
    while row and _COLUMNS.search(sentences[row]) and _COLUMNS.search(sentences[row - 1]):
        row -= 1
    return row


def _find(quote: str, given: str, start: int, *, words: int) -> int:
    """Where a quote of at least so many words ends in a text, from a position on; -1 without it."""
    wanted = _normalise(quote)
    if _count_words(wanted) < words:
        return -1
    found = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)").search(given, start)
    if found is None and _has_no_blanks(wanted):
        at = given.find(wanted, start)
        return at + len(wanted) if at >= 0 else -1
    return found.end() if found else -1


def _count_words(text: str) -> int:
    """Words; of a script without blanks, two letters count as one."""
    return sum(-(-len(word) // 2) if _has_no_blanks(word) else 1 for word in _WORD.findall(text))


def _is_all(quote: str, passage: str) -> bool:
    """Whether a quote is a whole passage, which may be shorter than other quotes."""
    return _normalise(quote) == _normalise(passage) != ""


def _has_no_blanks(text: str) -> bool:
    return any(c > "\u2e7f" or "\u0e00" <= c <= "\u0eff" for c in text)


def _normalise(text: str) -> str:
    return _make_plain(text).strip(" \"'.,;:>")


def _make_plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", strip_invisible(text)).translate(_PLAIN).casefold()
    return " ".join(plain.split())


def read_answer(text: str, passages: Sequence[str], *, question: str, above: Sequence[str] = ()) -> Grounded:
    """The model's `{"answer": "…", "quotes": [{"passage": 1, "quote": "…"}]}`, passages counted from 1.

    REFUSAL when it is not of that form, quotes nothing, one of its quotes is not where it says, all of them
    together have nothing to do with the answer, or it says a number, a date or a name that they do not.
    `above`: title and headings of each passage.
    """
    try:
        plain = find_object(text, "answer", "quotes")
        answer = plain["answer"]
        quotes = tuple(Quote(int(str(q["passage"]).strip("[] ")) - 1, q["quote"]) for q in plain["quotes"])
        honest = all(
            0 <= q.passage < len(passages) and is_quoted(q.text, passages[q.passage]) for q in quotes
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Grounded(REFUSAL, why="form")
    if not quotes or not isinstance(answer, str) or not answer.strip() or answer.strip() in REFUSALS:
        return Grounded(REFUSAL, why="nothing found")
    if not honest:
        return Grounded(REFUSAL, why="not quoted")
    if not bears(quotes, passages, question=question, answer=answer, above=above):
        return Grounded(REFUSAL, why="not supported")
    return Grounded(_LONE_SURROGATE.sub("\ufffd", answer).strip(), quotes, quotes[0].passage)


def bears(
    quotes: Sequence[Quote], passages: Sequence[str], *, question: str, answer: str, above: Sequence[str] = ()
) -> bool:
    """Whether quotes that stand in their passages bear on an answer."""
    shown = [
        sentence
        for quote in quotes
        for sentence in list_quoted_sentences(quote.text, passages[quote.passage]) or [quote.text]
    ]
    headings = {above[quote.passage] for quote in quotes} if above else ()
    return supports(
        "\n".join(dict.fromkeys(shown)), question=question, answer=answer, above="\n".join(headings)
    )
