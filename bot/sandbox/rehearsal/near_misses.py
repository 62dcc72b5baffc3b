"""Writes for each numbered passage a question that it does not answer, and errs as models do.

Every fifth question is one that its passage does answer.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.rehearsal.passages import read_passages
from bot.sandbox.rehearsal.words import sentences, whole_words

_SHAPES = (
    "Who paid for the {0} of the {1}?",
    "What did the {0} cost before the {1}?",
    "Who decides who looks after the {0} and the {1}?",
    "What was the {0} called before the {1}?",
    "What is said of the {0} and the {1}?",  # just what the passage tells
)


def write_near_misses(text: str) -> dict[str, Any]:
    """One for each passage that has two words to ask about."""
    written = [
        {"passage": number, "question": _ask(number, passage)} for number, passage in read_passages(text)
    ]
    return {"questions": [one for one in written if one["question"]]}


def _ask(number: int, passage: str) -> str:
    told = max(sentences(passage), key=len, default="")
    words = sorted(set(whole_words(told)), key=lambda word: (-len(word), word))
    return _SHAPES[(number - 1) % len(_SHAPES)].format(*words) if len(words) > 1 else ""
