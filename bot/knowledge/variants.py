"""Words of a workspace that stand for one that was asked: misspelt, composed of it, or parts of it.

Looked for where a word stands nowhere as it was asked, and, in languages that write what belongs together as
one word, beside it: "Frist" is in "Kündigungsfrist". Candidates share threes of letters with the word; what
is near enough is decided here.
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
_HOLDER = 5  # letters of a word that is looked for in longer ones
_SHORT = 4  # letters; shorter words are near too many others
_LIKE = 0.8


def find_variants(tx: Tx, team: str, word: str, *, known: bool, language: str) -> tuple[str, ...]:
    """Other words to look for. `known`: it stands in a chunk as it is."""
    if len(word) < _SHORT or not word.isalpha() or not word.isascii():
        return ()
    letters = list_letters(word).split()
    found = list[str]()
    if len(word) >= _HOLDER and (language in COMPOSING or not known):
        holders = find_words(tx, team, letters[1:-1], every=True, limit=_CANDIDATES)
        found += [other for other in holders if _holds(other, word)]
    if not known:
        others = find_words(tx, team, letters, every=False, limit=_CANDIDATES)
        found += _near(word, others)
    return tuple(dict.fromkeys(other for other in found if other != word))[:_MOST]


def _holds(longer: str, word: str) -> bool:
    return longer != word and (longer.startswith(word) or longer.endswith(word))


def _near(word: str, others: Collection[str]) -> list[str]:
    """Those spelt nearly alike, else those that the word is composed of."""
    alike = [other for other in others if other[0] == word[0] and _likeness(word, other) >= _LIKE]
    parts = [other for other in others if len(other) >= _PART and _holds(word, other)]
    return sorted(alike, key=lambda other: -_likeness(word, other)) or parts


def _likeness(word: str, other: str) -> float:
    return SequenceMatcher(None, word, other, autojunk=False).ratio()
