"""Can this question be answered from this passage? What can be seen of it without understanding either.

Features compare the words of the question with the passage: how much of it is there, in one sentence, close
together, in order, and what the heaviest missing word is. They tell a wrong passage from the right one; that
the right passage lacks the one fact is mostly beyond them, and caught by ``bot.knowledge.quotes``, which asks
for quotes. The trained head on top is ``bot.ml.answer_classifier``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import mul

from bot.ml import lexicon
from bot.ml.features import strip_invisible
from bot.ml.stemming import COMMON, NEGATIONS, likeness, split_sentences, split_words, stem, weight

# Of a passage, this much is compared; chunks are far shorter.
_MAX_CHARACTERS = 20_000
# Position of the squared coverage by the best sentence among the features.
COVERAGE = 1


@dataclass(frozen=True, slots=True)
class Sentence:
    words: tuple[str, ...]  # as written
    stems: tuple[str, ...]  # of every word, in order
    content: frozenset[str]  # lower-case words that are not common ones
    content_stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadPassage:
    sentences: tuple[Sentence, ...]
    stems: frozenset[str]
    content: frozenset[str]
    counts: Counter[str]  # content stem → how often
    all_stems: tuple[str, ...]  # of every word, in order
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A content word of the question."""

    written: str
    word: str
    stem: str
    weight: float
    name: bool  # capitalised, and not the question's first word


class Collection:
    """The passages that questions are asked of: how rare a word is among them says how much it decides."""

    def __init__(self, passages: Iterable[str]) -> None:
        self.size = 0
        self._with: Counter[str] = Counter()
        for text in set(passages):
            self._with.update({s for sentence in parse(text).sentences for s in sentence.stems})
            self.size += 1

    def rarity(self, stemmed: str) -> float:
        return math.log((1 + self.size) / (1 + self._with.get(stemmed, 0))) + 1


@lru_cache(maxsize=4_000)
def parse(text: str) -> ReadPassage:
    parts = tuple(
        _sentence(words)
        for s in split_sentences(strip_invisible(text[:_MAX_CHARACTERS]))
        if (words := split_words(s))
    )
    lower = [w.lower() for part in parts for w in part.words]
    content = [w for w in lower if w not in COMMON]
    return ReadPassage(
        parts or (_sentence([]),),
        frozenset(map(stem, content)),
        frozenset(content),
        Counter(map(stem, content)),
        tuple(map(stem, lower)),
        tuple(lexicon.text_vector(" ".join(content))),
    )


def _sentence(words: Sequence[str]) -> Sentence:
    lower = [w.lower() for w in words]
    content = frozenset(w for w in lower if w not in COMMON)
    return Sentence(tuple(words), tuple(map(stem, lower)), content, frozenset(map(stem, content)))


def _terms(written: Sequence[str]) -> list[Term]:
    terms: dict[str, Term] = {}
    for i, w in enumerate(written):
        word = w.lower()
        if word not in COMMON and word not in terms:
            terms[word] = Term(w, word, stem(word), weight(word), i > 0 and w[0].isupper())
    return list(terms.values())


def features(question: str, context: str, collection: Collection) -> list[float]:
    """What the question and the passage have in common; the same length and order for every pair."""
    passage = parse(context)
    written = split_words(strip_invisible(question[:_MAX_CHARACTERS]))
    terms = _terms(written)
    best = _best(terms, passage)
    return [
        *_coverage(terms, passage, best),
        *_missing(terms, passage, best),
        *_closeness(terms, passage),
        *_order(written, terms, passage, best),
        *_form(written, terms, best),
        *_subject(terms, passage),
        *_rarity(terms, passage, collection),
    ]


def _share(terms: Sequence[Term], present: frozenset[str]) -> float:
    """Share of the question's weight whose stems are present."""
    total = sum(t.weight for t in terms)
    return sum(t.weight for t in terms if t.stem in present) / total if total else 0.0


def _best(terms: Sequence[Term], passage: ReadPassage) -> Sentence:
    """The sentence that has most of the question; of equals the shorter."""
    return max(passage.sentences, key=lambda s: _share(terms, s.content_stems) - 0.0005 * len(s.content))


@lru_cache(maxsize=8_000)
def _likenesses(word: str, content: frozenset[str]) -> dict[str, float]:
    """How like `word` each word of a passage is; asked for once per sentence and for many questions."""
    return {other: likeness(word, other) for other in content}


def _alike(term: Term, passage: ReadPassage, part: Sentence | ReadPassage) -> float:
    """1 when the term stands in this part of the passage, else its likeness to the nearest word there."""
    stems = part.content_stems if isinstance(part, Sentence) else part.stems
    if term.stem in stems:
        return 1.0
    return max(map(_likenesses(term.word, passage.content).__getitem__, part.content), default=0.0)


def _coverage(terms: Sequence[Term], passage: ReadPassage, best: Sentence) -> list[float]:
    one = _share(terms, best.content_stems)
    pairs = pairwise(passage.sentences)
    two = max((_share(terms, a.content_stems | b.content_stems) for a, b in pairs), default=one)
    vector = lexicon.text_vector(" ".join(t.word for t in terms))
    return [
        _share(terms, passage.stems) ** 2,
        one**2,
        max(one, two),
        sum(map(mul, vector, passage.vector)),
    ]


def _missing(terms: Sequence[Term], passage: ReadPassage, best: Sentence) -> list[float]:
    """The words of the question that are not there: how heavy, how unlike anything there, of which kind."""
    missing = [t for t in terms if t.stem not in passage.stems]
    alike = [_alike(t, passage, passage) for t in missing]
    unlike = [t.weight * (1 - a) for t, a in zip(missing, alike, strict=True)]
    in_best = [t.weight * (1 - _alike(t, passage, best)) for t in terms]
    numbers = [t for t in terms if t.word[0].isdigit() and t.stem not in best.content_stems]
    return [
        max((t.weight for t in missing), default=0.0),
        float(not missing),
        len(missing) / max(1, len(terms)),
        max(unlike, default=0.0),
        max(in_best, default=0.0),
        max(alike, default=1.0),
        float(bool(numbers)),
        float(any(t.name for t in missing)),
    ]


def _closeness(terms: Sequence[Term], passage: ReadPassage) -> list[float]:
    """Most of the question's weight within 8 and within 30 consecutive words of the passage."""
    weights = {t.stem: t.weight for t in terms}
    total = sum(weights.values()) or 1.0
    hits = [(at, s) for at, s in enumerate(passage.all_stems) if s in weights]
    return [_densest(hits, weights, width) / total for width in (8, 30)]


def _densest(hits: Sequence[tuple[int, str]], weights: dict[str, float], width: int) -> float:
    best = 0.0
    for first, (start, _) in enumerate(hits):
        within: set[str] = set()
        for at, found in hits[first:]:
            if at - start >= width:
                break
            within.add(found)
        best = max(best, sum(weights[s] for s in within))
    return best


def _order(
    written: Sequence[str], terms: Sequence[Term], passage: ReadPassage, best: Sentence
) -> list[float]:
    """Do neighbours in the question stand together in the passage too?"""
    stems = [stem(w.lower()) for w in written]
    pairs = set(pairwise(stems))
    there = set(pairwise(best.stems))
    content = [t.stem for t in terms]
    neighbours = list(pairwise(content))
    both = sum(a in best.stems and b in best.stems for a, b in neighbours)
    everywhere = passage.all_stems
    threes = set(zip(stems, stems[1:], stems[2:], strict=False))
    passage_threes = set(zip(everywhere, everywhere[1:], everywhere[2:], strict=False))
    return [
        len(pairs & there) / max(1, len(pairs)),
        both / max(1, len(neighbours)),
        float(bool(threes & passage_threes)),
    ]


def _form(written: Sequence[str], terms: Sequence[Term], best: Sentence) -> list[float]:
    """The question's own shape, and whether the best sentence has anything of the kind it asks for."""
    words = [w.lower() for w in written]
    in_question = {t.stem for t in terms}
    names = any(
        w[0].isupper() and s not in in_question for w, s in zip(best.words[1:], best.stems[1:], strict=True)
    )
    numbers = any(
        w[0].isdigit() and s not in in_question for w, s in zip(best.words, best.stems, strict=True)
    )
    negated = any(w in NEGATIONS for w in words)
    start, whole = words[:3], " ".join(words)
    when = "when" in start or any(f"{w} {u}" in whole for w in ("what", "which") for u in ("year", "century"))
    return [
        float(negated),
        float(negated and not any(w.lower() in NEGATIONS for w in best.words)),
        float(len(terms)),
        math.log(1 + len(terms)),
        float(min(4, sum(t.name for t in terms))),
        math.log(1 + len(best.words)),
        math.log(1 + len(best.content_stems - in_question)),
        float(not names and any(w in start for w in ("who", "whom", "whose"))),
        float(not numbers and when),
        float(not numbers and ("how many" in whole or "how much" in whole)),
        float("which" in start),
    ]


def _subject(terms: Sequence[Term], passage: ReadPassage) -> list[float]:
    """The word the passage is about proves little: is the rest of the question there, and in one sentence?"""
    n = len(passage.sentences)
    within = {t.stem: sum(t.stem in s.content_stems for s in passage.sentences) for t in terms}
    local = {t.stem: t.weight * math.log(1 + (n + 1) / (within[t.stem] + 0.5)) for t in terms}
    ends = [terms[0], terms[-1]] if terms else []
    total = sum(t.weight for t in terms) or 1.0
    subject = max(terms, key=lambda t: (within[t.stem], -t.weight), default=None)
    rest = [t for t in terms if subject is None or t.stem != subject.stem] or terms
    rest_total = sum(t.weight for t in rest) or 1.0
    alike = max(sum(t.weight * _alike(t, passage, s) for t in rest) / rest_total for s in passage.sentences)
    return [
        sum(v for s, v in local.items() if within[s]) / (sum(local.values()) or 1.0),
        sum(t.weight for t in terms if within[t.stem] == 1) / total,
        sum(t.weight for t in terms if within[t.stem] >= max(2, n / 2)) / total,
        max(_share(rest, s.content_stems) for s in passage.sentences),
        alike,
        sum(t.weight * math.log(1 + passage.counts[t.stem]) for t in terms) / total,
        float(bool(terms) and terms[0].stem in passage.stems),
        *(max(_likenesses(t.word, passage.content).values(), default=0.0) for t in ends),
        *([0.0] * (2 - len(ends))),
    ]


def _rarity(terms: Sequence[Term], passage: ReadPassage, collection: Collection) -> list[float]:
    """The same comparison with words weighed by their rarity in the collection, as a search engine does."""
    rare = {t.stem: collection.rarity(t.stem) for t in terms}
    total = sum(rare.values()) or 1.0
    length = math.sqrt(sum(r * r for r in rare.values())) or 1.0
    counted = {s: (1 + math.log(n)) * collection.rarity(s) for s, n in passage.counts.items()}
    norm = math.sqrt(sum(v * v for v in counted.values())) or 1.0

    def cosine(s: Sentence) -> float:
        other = math.sqrt(sum(collection.rarity(x) ** 2 for x in s.content_stems)) or 1.0
        return sum(r * r for x, r in rare.items() if x in s.content_stems) / length / other

    return [
        max(sum(r for x, r in rare.items() if x in s.content_stems) for s in passage.sentences) / total,
        max((r for x, r in rare.items() if x not in passage.stems), default=0.0),
        sum(r * counted.get(x, 0.0) for x, r in rare.items()) / norm / length,
        max(map(cosine, passage.sentences)),
    ]
