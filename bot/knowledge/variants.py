"""Words of a workspace that stand for one that was asked: misspelt, composed of it, or parts of it.

Misspelt is what stands nowhere as it was asked. In languages that write what belongs together as one word,
what holds the word is looked for beside it: "Frist" is in "Kündigungsfrist". Candidates share threes of
letters with the word; what is near enough is decided here.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher

from bot.knowledge.terms import list_letters
from storage.engine import Tx
from storage.knowledge.full_text import find_words

COMPOSING = frozenset({"de", "nl"})
_CANDIDATES, _MOST = 40, 8
_PART = 4  # letters; a shorter part is in too many words
_HOLDER = 4  # letters of a word that is looked for at the end of longer ones
_BEGINNER = 5  # and at their beginning, where short ones are in too many
_FIRST = 3  # letters of what stands before it
_SHORT = 4  # letters; shorter words are near too many others
_LIKE = 0.85


def find_variants(tx: Tx, team: str, word: str, *, known: bool, language: str) -> tuple[str, ...]:
    """Other words to look for. `known`: it stands in a chunk as it is."""
    if len(word) < _SHORT or not word.isalpha() or not word.isascii():
        return ()
    letters, found = list_letters(word).split(), list[str]()
    if language in COMPOSING and len(word) >= _HOLDER:
        core = word.removesuffix("e")  # which the stem of a longer word has lost
        holders = find_words(tx, team, list_letters(core).split()[1:-1], every=True, limit=_CANDIDATES)
        found += [other for other in holders if _is_composed(other, word, core)]
    if not known:
        others = find_words(tx, team, letters, every=False, limit=_CANDIDATES)
        found += _list_alike(word, others) or (_list_parts(word, others) if language in COMPOSING else [])
    return tuple(dict.fromkeys(other for other in found if other != word))[:_MOST]


def _holds(longer: str, word: str) -> bool:
    return longer != word and (longer.startswith(word) or longer.endswith(word))


def _is_composed(longer: str, word: str, core: str) -> bool:
    """Whether it begins or ends with the word."""
    if longer.endswith((word, core)) and len(longer) >= len(core) + _FIRST:
        return True
    return len(word) >= _BEGINNER and _holds(longer, word)


def _list_alike(word: str, others: Collection[str]) -> list[str]:
    """Those spelt nearly as it is, likest first."""
    alike = [other for other in others if other[0] == word[0] and _likeness(word, other) >= _LIKE]
    return sorted(alike, key=lambda other: -_likeness(word, other))


def _list_parts(word: str, others: Collection[str]) -> list[str]:
    """Those that it is composed of."""
    return [other for other in others if len(other) >= _PART and _holds(word, other)]


def _likeness(word: str, other: str) -> float:
    return SequenceMatcher(None, word, other, autojunk=False).ratio()
