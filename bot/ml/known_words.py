"""Which words examples of each kind have: a verdict by words alone is sure of what such words say, only.

A classifier finds a phrase of the subject and calls the message likely; what else is asked for in it, or in
which other sense a word stands, shows in words that no example of the subject has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.ml.features import normalise
from bot.ml.stemming import COMMON, stem

# So many examples of the subject that each bring a word of their own: with fewer, what belongs is not known.
# On CLINC150 a channel of twenty examples was sure of up to one in five messages of topics it never saw.
ENOUGH = 30
# Words that say nothing about what is asked for, beside those of bot/ml/stemming.py.
_EMPTY_WORDS = """
please tell give get want need know let make like would help there any use using much many one new now today
tomorrow next last still really ok hi hello thanks anyone something thing things way go going
come take put got
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+")
_SHORT = 3  # letters
_LEAST = 2  # words that say something; "how do I write a will" says "write", which is asked for everywhere


@dataclass(frozen=True, slots=True)
class KnownWords:
    """Stems of the words in examples of each kind. `spread`: examples that belong and brought new ones."""

    belongs: frozenset[str] = frozenset()
    does_not: frozenset[str] = frozenset()
    spread: int = 0

    @property
    def are_few(self) -> bool:
        return self.spread < ENOUGH

    def back(self, text: str, *, on_topic: bool) -> bool:
        """Whether what a text says is known to be said in messages of this kind.

        It belongs when there are some and each does; it does not when most of its words are of what does not,
        and at most one in four is the subject's alone.
        """
        words = list_stems(text)
        if not words:
            return False
        if on_topic:
            return len(words) >= _LEAST and words <= self.belongs
        known = words & self.does_not
        own = words & self.belongs - self.does_not
        return 2 * len(known) >= len(words) and 4 * len(own) <= len(words)


def gather_words(examples: Iterable[tuple[str, bool]]) -> KnownWords:
    """The words of labelled texts."""
    belongs, does_not, spread = set[str](), set[str](), 0
    for text, on_topic in examples:
        words = list_stems(text)
        if on_topic:
            spread += bool(words - belongs)
            belongs |= words
        else:
            does_not |= words
    return KnownWords(frozenset(belongs), frozenset(does_not), spread)


def list_stems(text: str) -> set[str]:
    """What a text says: its words without endings, and without those that say nothing."""
    return {
        stem(word)
        for word in _WORD.findall(normalise(text))
        if len(word) >= _SHORT and word not in COMMON and not _is_empty(word)
    }


def _is_empty(word: str) -> bool:
    """Whether a word, or what it is a form of, says nothing: "getting" does not, "letter" does."""
    return word in _EMPTY or (stem(word) in _EMPTY and not word.endswith(("er", "ers")))
