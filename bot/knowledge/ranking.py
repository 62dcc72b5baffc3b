"""In what order chunks that share words with a question may answer it: BM25, and how near those words stand.

The engines only say which chunks have any of the words; the order is made here, from the statistics of one
workspace, so that it is the same on each engine and says nothing about what others keep.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from storage.knowledge.search import Corpus, FoundChunk

# On the paragraphs of SQuAD in tests/data these find the right one first most often.
_K1, _B = 0.9, 0.5
_NEARNESS = 1.0  # what neighbours count beside BM25
_VARIANT = 0.6  # what a word that is only like the one asked for counts


@dataclass(frozen=True, slots=True)
class AskedTerm:
    """A word of a question, with words of the workspace that are written nearly like it or hold it."""

    word: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """How common words are in a workspace, and how long its chunks."""

    corpus: Corpus
    uses: Mapping[str, int]

    @property
    def length(self) -> float:
        return max(1.0, self.corpus.words / max(1, self.corpus.chunks))

    @property
    def heaviest(self) -> float:
        """What a word would weigh that stands nowhere."""
        return math.log(2 * self.corpus.chunks + 2)

    def weigh(self, term: AskedTerm) -> float:
        """How much a word tells: the rarer, the more; 0 when neither it nor one like it is there."""
        uses = sum(self.uses.get(word, 0) for word in (term.word, *term.variants))
        if not uses:
            return 0.0
        uses = min(uses, self.corpus.chunks)
        return math.log(1 + (self.corpus.chunks - uses + 0.5) / (uses + 0.5))

    def weigh_words(self, terms: Sequence[AskedTerm]) -> dict[str, float]:
        """Every word to be looked for, with its weight."""
        found = dict[str, float]()
        for term in terms:
            weight = self.weigh(term)
            for word in term.variants:
                found[word] = max(found.get(word, 0.0), weight * _VARIANT)
        return found | {term.word: self.weigh(term) for term in terms if term.word in self.uses}


@dataclass(slots=True)
class _Met:
    """What of a question stands in a chunk."""

    counts: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))  # by asked term
    places: list[tuple[int, int]] = field(default_factory=list)  # (position, asked term)


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk, its score, and how much of what was asked stands in it, from 0 to 1."""

    chunk: FoundChunk
    score: float
    coverage: float


def rank(
    chunks: Sequence[FoundChunk], terms: Sequence[AskedTerm], statistics: Statistics
) -> list[RankedChunk]:
    """Best first."""
    weights = [statistics.weigh(term) for term in terms]
    whole = sum(weight or statistics.heaviest for weight in weights) or 1.0
    asked = dict(_list_words(terms))
    ranked = []
    for chunk in chunks:
        words = chunk.words.split()
        met = _meet(words, asked)
        covered = sum(weights[term] * min(1.0, n) for term, n in met.counts.items())
        score = _score(met, weights, long=len(words) / statistics.length)
        ranked.append(RankedChunk(chunk, score, covered / whole))
    return sorted(ranked, key=lambda one: (-one.score, one.chunk.document, one.chunk.number))


def _list_words(terms: Sequence[AskedTerm]) -> Iterator[tuple[str, tuple[int, float]]]:
    """Every word that counts, with the asked term it counts for, and how much; a word as it was asked counts
    for itself."""
    for n, term in enumerate(terms):
        yield from ((word, (n, _VARIANT)) for word in term.variants)
    yield from ((term.word, (n, 1.0)) for n, term in enumerate(terms))


def _meet(words: Sequence[str], asked: Mapping[str, tuple[int, float]]) -> _Met:
    met = _Met()
    for place, word in enumerate(words):
        if word in asked:
            term, share = asked[word]
            met.counts[term] += share
            met.places.append((place, term))
    return met


def _score(met: _Met, weights: Sequence[float], *, long: float) -> float:
    """`long`: how many times as long as usual the chunk is."""
    damp = _K1 * (1 - _B + _B * long)
    score = sum(weights[term] * n * (_K1 + 1) / (n + damp) for term, n in met.counts.items())
    return score + _NEARNESS * _nearness(met.places, weights)


def _nearness(places: Sequence[tuple[int, int]], weights: Sequence[float]) -> float:
    """What it tells that two words of the question stand together here, for each such two once."""
    best = dict[tuple[int, int], float]()
    for (at, one), (then, two) in pairwise(places):
        if one != two:
            told = min(weights[one], weights[two]) / math.sqrt(then - at)
            best[one, two] = max(best.get((one, two), 0.0), told)
    return sum(best.values())
