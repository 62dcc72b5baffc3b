"""Checking answers against given passages: can one of them answer, does every quote stand in its passage?

The chain: the trained head of ``bot.ml.answer_classifier`` picks the passage, a question below its line is
refused without a request; the model has to quote what it answers from; a quote that is not in its passage
takes the answer down. Where passages come from is not decided here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bot.ml.answer_classifier import AnswerHead, load
from bot.ml.features import strip_invisible

REFUSAL = "No sufficient context for answering the question"

# A shorter quote is found in nearly every passage and proves nothing.
MIN_QUOTE_WORDS = 3
_PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "..."}
)
_WORD = re.compile(r"\w+")


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

    @property
    def refused(self) -> bool:
        return not self.quotes


@cache
def load_head() -> AnswerHead:
    """The head shipped in the package: trained on nine articles of SQuAD 2.0 with four kinds of negatives
    (`python -m tests.ml.make_head`)."""
    return load(files("bot.ml").joinpath("answerable.json").read_bytes())


def is_hopeless(probability: float) -> bool:
    """So unlikely to be answerable that the model need not be asked (2 % of answerable questions are)."""
    return probability < load_head().lines.low


def is_quoted(quote: str, passage: str) -> bool:
    """Does the quote stand in the passage word for word? Case, spacing and typography do not matter."""
    wanted, given = _normalise(quote), _normalise(passage)
    if len(_WORD.findall(wanted)) < MIN_QUOTE_WORDS:
        return False
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", given) is not None


def _normalise(text: str) -> str:
    plain = unicodedata.normalize("NFKC", strip_invisible(text)).translate(_PLAIN).casefold()
    return " ".join(plain.split()).strip(" \"'.,;:")


def read_answer(text: str, passages: Sequence[str]) -> Grounded:
    """The model's `{"answer": "…", "quotes": [{"passage": 1, "quote": "…"}]}`, passages counted from 1.

    REFUSAL when it is not of that form, quotes nothing, or one of its quotes is not where it says.
    """
    try:
        plain = json.loads(text)
        answer = plain["answer"]
        quotes = tuple(Quote(q["passage"] - 1, q["quote"]) for q in plain["quotes"])
        honest = all(
            0 <= q.passage < len(passages) and is_quoted(q.text, passages[q.passage]) for q in quotes
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Grounded(REFUSAL)
    if not honest or not quotes or not isinstance(answer, str) or not answer.strip():
        return Grounded(REFUSAL)
    return Grounded(answer.strip(), quotes, quotes[0].passage)
