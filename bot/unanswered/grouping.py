"""Which unanswered questions mean the same: by vectors where there are some, else by their words.

A question that is in a group stays there, and a new one joins the group that is nearest, or begins one. The
number of a group is that of the question it began with, so it means the same for good. Two questions that
name other numbers or codes never mean the same, however near they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import mul

from bot.knowledge.small_words import drop_small, guess_language
from bot.knowledge.stated_names import list_names
from bot.knowledge.terms import list_written
from bot.ml.stemming import likeness, stem, weight
from storage.unanswered.questions import OpenQuestion

_COMPARED = 8  # questions of a group that others are compared with

Vectors = Mapping[int, Sequence[float]]  # of questions, by their numbers

# Chosen on tests/unanswered/wordings.txt; a question too many in a group costs more than one too few.
NEAR_BY_WORDS = 0.6  # 0 to 1
LITTLE = 0.35  # of a question's words: it asks something else
NEAR_BY_VECTORS = 0.65  # of the way from "nothing to do with each other" to "the same"
# Words that ask for a time, and for a place or a person.
_WHEN = frozenset({"when", "date", "wann", "datum", "quand", "cuándo", "fecha", "quando", "wanneer"})
_WHERE = frozenset(
    {
        *("where", "place", "who", "whom", "wo", "wohin", "wer", "wen", "wem", "ort"),
        *("où", "lieu", "qui", "dónde", "lugar", "quién", "onde", "quem", "waar"),
    }
)


def group(questions: Sequence[OpenQuestion], vectors: Vectors, *, unrelated: float = 0.0) -> dict[int, int]:
    """The group of each question that has none yet. `unrelated`: about the cosine of two texts that have
    nothing to do with each other."""
    groups = dict[int, list[OpenQuestion]]()
    for one in questions:
        if one.topic:
            groups.setdefault(one.topic, []).append(one)
    found = dict[int, int]()
    for new in sorted((one for one in questions if not one.topic), key=lambda one: one.id):
        topic = _find_nearest(new, groups, vectors, unrelated) or new.id
        groups.setdefault(topic, []).append(new)
        found[new.id] = topic
    return found


def choose_typical(questions: Sequence[OpenQuestion]) -> OpenQuestion:
    """The one that is most like all others; of several the first that was asked."""

    def likeness_to_all(one: OpenQuestion) -> float:
        return sum(compare_words(one.meant, other.meant) for other in questions[:_COMPARED])

    return max(questions[:_COMPARED], key=lambda one: (round(likeness_to_all(one), 6), -one.id))


def _find_nearest(
    new: OpenQuestion, groups: Mapping[int, Sequence[OpenQuestion]], vectors: Vectors, unrelated: float
) -> int:
    """The group that a question belongs to; 0 for none."""
    nearness = {
        topic: _measure(new, members[:_COMPARED], vectors, unrelated) for topic, members in groups.items()
    }
    best = max(nearness, key=lambda topic: (nearness[topic], -topic), default=0)
    return best if best and nearness[best] >= 1 else 0


def _measure(new: OpenQuestion, members: Sequence[OpenQuestion], vectors: Vectors, unrelated: float) -> float:
    """How near a question is to those of a group, on average; 1 and more is near enough. By the average, for
    one that is near to a single member would chain groups together."""
    same = [_nearness(new, one, vectors, unrelated) for one in members]
    return sum(same) / len(same)


def _nearness(one: OpenQuestion, other: OpenQuestion, vectors: Vectors, unrelated: float) -> float:
    if one.id in vectors and other.id in vectors:
        cosine = float(sum(map(mul, vectors[one.id], vectors[other.id])))
        nearness = (cosine - unrelated) / (1 - unrelated) / NEAR_BY_VECTORS
    else:
        nearness = compare_words(one.meant, other.meant) / NEAR_BY_WORDS
    return 0.0 if nearness >= 1 and ask_for_others(one.meant, other.meant) else nearness


def ask_for_others(one: str, other: str) -> bool:
    """Whether two questions cannot mean the same: they name other numbers, codes, people or places, or one
    asks when and the other where or who."""
    if _list_codes(one) != _list_codes(other):
        return True
    if _name_alone(one, other) and _name_alone(other, one):
        return True
    ours, theirs = set(list_written(one)), set(list_written(other))
    return bool((ours & _WHEN and theirs & _WHERE) or (ours & _WHERE and theirs & _WHEN))


@lru_cache(maxsize=5_000)
def _list_codes(question: str) -> frozenset[str]:
    """Words with digits in them: numbers, years, names of products."""
    return frozenset(word for word in list_written(question) if any(map(str.isdigit, word)))


def _name_alone(one: str, other: str) -> bool:
    """Whether a question has a name that the other has not."""
    written = set(list_written(other))
    return any(written.isdisjoint(list_written(name)) for name in _list_names(one))


@lru_cache(maxsize=5_000)
def _list_names(question: str) -> tuple[str, ...]:
    """Names in a question; in German, where nouns have a capital as well, few are told."""
    language = guess_language(list_written(question))
    return tuple(list_names(question, nouns=language == "de"))


def compare_words(one: str, other: str) -> float:
    """0 to 1: how much of each question's words has its like in the other's; 0 for little."""
    ours, theirs = _weigh_words(one), _weigh_words(other)
    if not ours or not theirs:
        return 0.0
    covered = _covered(ours, theirs)
    return min(covered, _covered(theirs, ours)) if covered else 0.0


def _covered(words: Sequence[tuple[str, float]], by: Sequence[tuple[str, float]]) -> float:
    """The share of the first ones' weight that the others cover; 0 as soon as it is known to be little."""
    whole = left = sum(heavy for _, heavy in words)
    for word, heavy in words:
        left -= heavy * (1 - max(_like(word, other) for other, _ in by))
        if left < LITTLE * whole:
            return 0.0
    return left / whole


@lru_cache(maxsize=100_000)
def _like(word: str, other: str) -> float:
    return 1.0 if stem(word) == stem(other) else likeness(word, other)


@lru_cache(maxsize=5_000)
def _weigh_words(question: str) -> tuple[tuple[str, float], ...]:
    """The words that say what is asked, each once, with how much it says; the heaviest first."""
    words = dict.fromkeys(drop_small(list_written(question)))
    return tuple(sorted(((word, weight(word)) for word in words), key=lambda one: -one[1]))
