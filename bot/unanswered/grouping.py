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

Vectors = Mapping[int, Sequence[float]]  # of questions, by their numbers

# Chosen on tests/unanswered/wordings.txt; a question too many in a group costs more than one too few.
NEAR_BY_WORDS = 0.6  # 0 to 1
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


_COMPARED = 20  # questions of a group that others are compared with


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
    if ask_for_others(one.meant, other.meant):
        return 0.0
    by_words = compare_words(one.meant, other.meant) / NEAR_BY_WORDS
    if one.id not in vectors or other.id not in vectors:
        return by_words
    cosine = float(sum(map(mul, vectors[one.id], vectors[other.id])))
    return (cosine - unrelated) / (1 - unrelated) / NEAR_BY_VECTORS


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
    """0 to 1: how much of each question's words has its like in the other's."""
    ours, theirs = list_words(one), list_words(other)
    return min(_covered(ours, theirs), _covered(theirs, ours)) if ours and theirs else 0.0


def _covered(words: Sequence[str], by: Sequence[str]) -> float:
    found = sum(weight(word) * max(_like(word, other) for other in by) for word in words)
    return found / sum(map(weight, words))


@lru_cache(maxsize=50_000)
def _like(word: str, other: str) -> float:
    return 1.0 if stem(word) == stem(other) else likeness(word, other)


@lru_cache(maxsize=5_000)
def list_words(question: str) -> tuple[str, ...]:
    """The words that say what is asked, each once."""
    return tuple(dict.fromkeys(drop_small(list_written(question))))
