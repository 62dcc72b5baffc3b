"""Examples that contradict each other: what people taught against what the policy names, and its two lists.

What a policy names holds: an example that contradicts it is answered, or refused, in its very words alone and
teaches nothing beyond, until the owner changes one of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.guard.policy import Policy
from bot.ml.features import strip_invisible
from bot.ml.stemming import COMMON, stem

# Two examples that have so large a share of their words in common ask for the same.
_SAME = 0.7
_NAMED = 3  # words at most: an entry that names a thing, and is contradicted by whatever has it
_NAMED_PAIRS = 7  # of letters that stand together, in scripts without blanks
_WORD = re.compile(r"\w+")
# Japanese, Chinese, Thai and their like, in which a word of this kind is a whole sentence.
_UNBROKEN = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One example that belongs and one that does not, about the same. `taught`: people said so of a message;
    else both stand in the policy."""

    belongs: str
    does_not: str
    taught: bool


def find_contradictions(policy: Policy | None, stored: Sequence[Mapping[str, Any]]) -> list[Contradiction]:
    """All of a channel; `stored` as storage/guard/examples.py lists them."""
    if policy is None:
        return []
    opposite = _list_words_of(policy.does_not)
    found = [
        Contradiction(belongs, against, taught=False)
        for belongs in policy.belongs
        if (against := _find_same(belongs, opposite))
    ]
    for row in stored:
        if against := find_opposite(policy, row["text"], on_topic=bool(row["on_topic"])):
            belongs, does_not = (row["text"], against) if row["on_topic"] else (against, row["text"])
            found.append(Contradiction(belongs, does_not, taught=True))
    return found


def find_opposite(policy: Policy, text: str, *, on_topic: bool) -> str:
    """The entry of the policy that says the opposite of an example; "" for none."""
    same, opposite = policy.belongs, policy.does_not
    if not on_topic:
        same, opposite = opposite, same
    return "" if text in same else _find_same(text, _list_words_of(opposite))


@lru_cache(maxsize=16)
def _list_words_of(entries: tuple[str, ...]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Each with its words: a list of a policy, that every example of the channel is compared with."""
    return tuple((entry, _list_words(entry)) for entry in entries)


def _find_same(text: str, entries: Iterable[tuple[str, frozenset[str]]]) -> str:
    words = _list_words(text)
    return next((entry for entry, its_words in entries if _are_same(words, its_words)), "")


def _are_same(words: frozenset[str], entry: frozenset[str]) -> bool:
    if not words or not entry:
        return False
    most = _NAMED_PAIRS if any(map(_UNBROKEN.match, entry)) else _NAMED
    if len(entry) <= most and entry <= words:
        return True
    return len(words & entry) >= _SAME * len(words | entry)


def _list_words(text: str) -> frozenset[str]:
    found = set[str]()
    for word in _WORD.findall(strip_invisible(text).casefold()):
        if _UNBROKEN.match(word):
            found |= {word[at : at + 2] for at in range(max(1, len(word) - 1))}
        elif word not in COMMON:
            found.add(stem(word))
    return frozenset(found)
