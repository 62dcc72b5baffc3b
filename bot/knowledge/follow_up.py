"""A follow-up becomes questions that can be searched with: "and in Berlin?" is read with what it follows.

By rule. A question with words enough of its own is searched as it is. One that names something else for
the question before ("and in Berlin?", "what about dogs?") takes its place there; one that points back ("how
much is it?") is read together with it. Of one that points at what an answer said ("and the second one?") the
rules know that they do not know: `is_open`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.core.values import Message
from bot.knowledge.small_words import drop_small
from bot.knowledge.terms import list_written
from bot.text import marks

# How a question begins that only names something else, in the languages people were seen to write.
_AND = r"(?:and|but|or|so|then|ok(?:ay)?|also|und|aber|oder|et|ou|mais|y|o|pero|e|ma|en|maar)"
_ABOUT = (
    r"(?:what|how) about|was ist mit|wie (?:ist|sieht) es (?:mit|bei|in)|wie steht es mit"
    r"|qu['’]en est-il (?:pour|de)|qué (?:hay|tal|pasa) (?:de|con)|hoe zit het met"
)
_INSTEAD = re.compile(rf"^\W*(?:{_AND}\b[\s,]*)*(?:(?:{_ABOUT})\b)?\s*", re.IGNORECASE)
# Words that point back.
_BACK_WORDS = """
    it its that this these those they them their he she him her his one ones same else
    es dies sie er ihn ihm deren dessen davon dafur dabei damit dort dann dazu
    ca cela ceci il elle ils elles eux leur eso esto ellos ellas ello alli questo quello essi
    dit daar
"""
_BACK = frozenset(_BACK_WORDS.split())
# Words that point at one of several things in an answer, behind an article, or at somebody named there.
_NUMBER_WORDS = """
    first second third fourth last latter former
    erste ersten zweite zweiten dritte dritten letzte letzten letztere letzteren
    premier premiere deuxieme second seconde dernier derniere
    primero primera segundo segunda ultimo ultima secondo seconda tweede laatste
"""
_NUMBERS = frozenset(_NUMBER_WORDS.split())
_ARTICLE_WORDS = "the der die das den dem des beim zum le la les el los las il lo de het"
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_SOMEBODY_WORDS = "he she him her his hers both er ihn ihm beide beiden lui ambos ambas"
_SOMEBODY = frozenset(_SOMEBODY_WORDS.split())
_AT = "in|at|for|from|with|to|on|by|im|am|bei|für|aus|mit|nach|von|zu|à|en|pour|avec|de|para|con|per|voor|bij"
_PLACE = re.compile(rf"\b((?i:{_AT}))\s+((?:[^\W_]|-)+(?:\s+[A-ZÄÖÜ][\w-]*)*)")
_ENOUGH = 4  # words that say something: such a question stands for itself
_EARLIER = 3  # questions looked through for one that does
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_CJK_SHORT = 12  # letters


def make_standalone(messages: Sequence[Message]) -> list[str]:
    """The questions to search with, for the last message of a conversation, the likeliest first."""
    asked = _list_asked(messages)
    if not asked:
        return []
    last = asked[-1]
    before = _find_whole(asked[-_EARLIER - 1 : -1])
    if not before or _stands_alone(last):
        return [last]
    return list(dict.fromkeys([_join(before, last), last]))


def is_open(messages: Sequence[Message]) -> bool:
    """Whether the last message leans on something before it that the rules do not find."""
    asked = _list_asked(messages)
    if not asked or len(messages) < 2:
        return False
    if _points_at_answer(asked[-1]):
        return True
    return not any(map(_stands_alone, asked[-_EARLIER - 1 :]))


def _list_asked(messages: Sequence[Message]) -> list[str]:
    """What people said: of a file its name, and not how it is marked."""
    said = [m.text.strip() for m in messages if m.role == "human" and m.text.strip()]
    return [marks.words_alone(text).strip() or text for text in said]


def _points_at_answer(question: str) -> bool:
    """Whether it names, in few words, one of several things: what they are, an answer has said."""
    words = list_written(question)
    numbered = any(word in _NUMBERS and before in _ARTICLES for before, word in pairwise(words))
    if not numbered and _SOMEBODY.isdisjoint(words):
        return False
    return len([word for word in drop_small(words) if word not in _NUMBERS | _SOMEBODY | _BACK]) <= _ENOUGH


def _find_whole(earlier: Sequence[str]) -> str:
    """The newest question that stands for itself, else the one before."""
    return next((text for text in reversed(earlier) if _stands_alone(text)), earlier[-1] if earlier else "")


def _stands_alone(question: str) -> bool:
    if _CJK.search(question):
        return len(_CJK.findall(question)) > _CJK_SHORT
    words = list_written(question)
    telling = [word for word in drop_small(words) if word not in _BACK] if words else []
    if any(word in _BACK for word in words):
        return len(telling) > _ENOUGH
    return len(telling) >= _ENOUGH or (len(telling) > 1 and not _is_instead(question))


def _is_instead(question: str) -> bool:
    found = _INSTEAD.match(question)
    return bool(found and found[0].strip())


def _join(before: str, last: str) -> str:
    """The question before with what the last one names in its place; else both together."""
    found = _INSTEAD.match(last)
    rest = (last[found.end() :] if found else last).strip(" ?.!？。")
    named = _PLACE.fullmatch(rest)
    for other in reversed(list(_PLACE.finditer(before)) if named else []):
        if named and other[1].casefold() == named[1].casefold():
            return f"{before[: other.start()]}{rest}{before[other.end() :]}"
    return f"{before} {rest}"
