"""A text as a short list of (feature, value): its words, its pieces of words, and what its words mean.

Three blocks, each of length 1, so that none drowns the others: words and pairs of words; pieces of two to
five letters within a word, which survive typing errors and inflection; the mean word vector of
``bot.ml.lexicon``. What is done with the features is in ``bot.ml.discriminator``.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from bot.ml import lexicon

# Positions 0–63 are the word vector's, the next is 1 for every text (the bias), then words, then pieces.
_FIRST = lexicon.DIMENSIONS + 1

Features = tuple[list[int], list[float]]  # positions and their values, in no order

_WORD = re.compile(r"\w+")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Longer texts say what they are about in their beginning; this bounds the work for a pasted log.
MAX_CHARACTERS = 4_000
# Letters of a word that are looked at; beyond it is a key or a hash, not a word.
_MAX_WORD = 40


def strip_invisible(text: str) -> str:
    """Text without the characters nobody sees: tags, zero widths, bidi controls, variation selectors,
    controls.

    They carry smuggled instructions past a reader's eye; NFKC alone keeps them.
    Source: Unicode 17, general categories Cf and Cc; variation selectors U+FE00–FE0F, U+E0100–E01EF.
    """
    plain = unicodedata.normalize("NFKC", text)
    if plain.replace("\n", " ").replace("\t", " ").isprintable() and not _VARIATION.search(plain):
        return plain  # most texts, without a look at each character
    return "".join(c for c in plain if not _is_invisible(c))


def _is_invisible(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn") or bool(_VARIATION.match(character))


def normalise(text: str) -> str:
    return strip_invisible(text[:MAX_CHARACTERS]).casefold()


@lru_cache(maxsize=20_000)
def _pieces(word: str) -> tuple[str, ...]:
    padded = f" {word[:_MAX_WORD]} "
    return tuple({padded[i : i + n] for n in (2, 3, 4, 5) for i in range(max(1, len(padded) - n + 1))})


def _words(words: Sequence[str]) -> set[str]:
    return {*words, *map(" ".join, pairwise(words))}


@dataclass(frozen=True, slots=True)
class Block:
    """The words, or the pieces, that count: gram → (position, idf). What is not in it weighs `unseen`."""

    known: Mapping[str, tuple[int, float]]
    unseen: float

    def add(self, grams: set[str], positions: list[int], values: list[float]) -> None:
        """Unknown grams lengthen the vector and so weaken the rest: a text full of them is like nothing
        seen.
        """
        found = [self.known[g] for g in grams if g in self.known]
        squares = sum(idf * idf for _, idf in found) + self.unseen**2 * (len(grams) - len(found))
        norm = math.sqrt(squares) or 1.0
        positions += [at for at, _ in found]
        values += [idf / norm for _, idf in found]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which words and pieces count, and how much: rare ones more (inverse document frequency)."""

    words: Block
    pieces: Block

    @property
    def size(self) -> int:
        return _FIRST + len(self.words.known) + len(self.pieces.known)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Every word, and each piece that more than one text has: the others cannot tell texts apart."""
        of_words: Counter[str] = Counter()
        of_pieces: Counter[str] = Counter()
        n = 0
        for text in texts:
            n += 1
            words = _WORD.findall(normalise(text))
            of_words.update(_words(words))
            of_pieces.update(set().union(*map(_pieces, words)))
        for piece in [p for p, count in of_pieces.items() if count < 2]:
            del of_pieces[piece]
        return cls(_weigh_grams(of_words, n, _FIRST), _weigh_grams(of_pieces, n, _FIRST + len(of_words)))

    def features(self, text: str) -> Features:
        plain = normalise(text)
        words = _WORD.findall(plain)
        positions = list(range(_FIRST))
        values = [*lexicon.text_vector(plain), 1.0]
        self.words.add(_words(words), positions, values)
        self.pieces.add(set().union(*map(_pieces, words)), positions, values)
        return positions, values

    def familiar(self, text: str) -> float:
        """Share of the text's words that were seen in training; in another language nearly none were."""
        words = _WORD.findall(normalise(text))
        return sum(word in self.words.known for word in words) / len(words) if words else 0.0


def _weigh_grams(counts: Counter[str], n: int, start: int) -> Block:
    """Positions from `start`, in sorted order so that the same texts give the same model."""
    idf = {count: math.log((1 + n) / (1 + count)) + 1 for count in {0, *counts.values()}}
    known = {gram: (start + i, idf[count]) for i, (gram, count) in enumerate(sorted(counts.items()))}
    return Block(known, idf[0])
