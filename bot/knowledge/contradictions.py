"""Whether two sentences contradict each other, by rule: what is said is the same but for a number, a day, a
name or a "not".

Names and other words are compared in notes alone: people write those as plain statements, while in a document
the next sentence but one may say the same of something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from bot.knowledge.small_words import drop_small
from bot.knowledge.stated_numbers import MONTHS, WEEKDAYS, list_numbers, list_spelled
from bot.knowledge.support import measure_touch
from bot.knowledge.terms import list_terms, list_written
from bot.ml.stemming import COMMON, NEGATIONS

_ALIKE = 0.75  # share of each sentence's words that the other has
_MOST_OTHER = 4  # words in which they differ
_SAYS_NO = """
nicht kein keine keinen nie niemals pas jamais no nunca non mai nao niet geen nooit inte ikke нет не
"""
_NOT = NEGATIONS | frozenset(_SAYS_NO.split())
_WORD = re.compile(r"[^\W\d_]+")


def contradict_in_numbers(one: str, other: str) -> bool:
    """Two sentences of the same words, with numbers or days in both, and none in common."""
    mine, theirs = _read_numbers(one), _read_numbers(other)
    if not mine or not theirs or mine & theirs:
        return False
    return _are_alike(_without_numbers(one), _without_numbers(other))


def contradict_in_words(one: str, other: str) -> bool:
    """Two statements that begin alike and end in other words, or of which one alone says "not"."""
    mine, theirs = list_written(one), list_written(other)
    negated = [not _NOT.isdisjoint(words) for words in (mine, theirs)]
    if negated[0] != negated[1]:
        return _are_alike(_without_negation(one), _without_negation(other))
    if _read_numbers(one) != _read_numbers(other):
        return False  # for the numbers to tell
    return _differ_at_end(mine, theirs)


def _differ_at_end(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether they say other things of the same: the words of one place differ, and behind it none says
    anything."""
    edits = [
        edit
        for edit in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
        if edit[0] != "equal"
    ]
    if len(edits) != 1 or edits[0][0] != "replace":
        return False
    _, start, end, other_start, other_end = edits[0]
    told, otherwise = mine[start:end], theirs[other_start:other_end]
    if max(len(told), len(otherwise)) > _MOST_OTHER or _is_same(told, otherwise):
        return False
    about = len(_list_telling(mine[:start]))
    return about > 0 and not _list_telling(mine[end:]) and start >= end - start


def _is_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether no word that tells something differs, but in its form."""
    mine, theirs = (set(list_terms(" ".join(_list_telling(words)))) for words in (one, other))
    return not mine or not theirs or mine <= theirs or theirs <= mine


def _list_telling(words: Sequence[str]) -> list[str]:
    return [word for word in drop_small(list(words)) if word not in COMMON]


def _are_alike(one: str, other: str) -> bool:
    return measure_touch(one, other) >= _ALIKE and measure_touch(other, one) >= _ALIKE


def _read_numbers(sentence: str) -> frozenset[str]:
    return frozenset().union(*list_numbers(sentence), *list_spelled(sentence))


def _without_numbers(sentence: str) -> str:
    """Without figures, and the names of days and months."""
    words = re.sub(r"\d[\d.,:]*", " ", sentence)
    return _WORD.sub(
        lambda found: " " if found[0].casefold() in WEEKDAYS or found[0].casefold() in MONTHS else found[0],
        words,
    )


def _without_negation(sentence: str) -> str:
    return _WORD.sub(lambda found: " " if found[0].casefold() in _NOT else found[0], sentence)
