"""Whether a quote has to do with what is said on its strength.

Words are compared by their stems and, in English, by what they mean. Where answer and quote are of two
languages, words tell nothing, and the quote counts.
"""

from __future__ import annotations

import re
import unicodedata

from bot.ml import lexicon
from bot.ml.stemming import COMMON, NEGATIONS, likeness, stem, weight

# So much of what an English answer says, weighed by how rare its words are, has to be in its quotes. On the
# natural questions of tests/support/handbook_questions.py right quotes have 0.53 and more of it, of others
# one in twenty has half.
_COVERED = 0.5
# An answer that says nothing of its own, such as "Yes", rests on a quote that is about the question.
_ABOUT_QUESTION = 0.55
_SHORT = 4  # letters; shorter words of unknown languages are mostly articles and the like
_WORD = re.compile(r"\d[\d.,:]*\d|\d|[^\W\d_]+")
_SMALL_WORDS = {
    "en": "the of and to in is that for it as with on be at by this are from or an not what who when how my",
    "de": "der die das und ist nicht ein eine einen zu von mit für auf im den dem des sie wir ich wer wie",
    "fr": "le la les un une des et est de du au aux que qui pour dans vous nous il pas sur avec par je",
    "es": "el la los las una es de del al que para en por con no se su tu lo como hasta cada yo",
    "it": "il lo la gli le un una è di del della che per in con non si al da fino ogni io",
    "pt": "os as um uma é de do da que para em por com não se ao até cada eu",
    "nl": "de het een en is van voor niet met op te dat die in aan tot per wie wat ik",
}
_NUMBER_WORDS = """zero one/first two/second three/third four/fourth five/fifth six/sixth seven/seventh
eight/eighth nine/ninth ten/tenth eleven twelve"""
_NUMBERS = {word: str(n) for n, words in enumerate(_NUMBER_WORDS.split()) for word in words.split("/")} | {
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "hundred": "100",
}
_LANGUAGES = {code: frozenset(words.split()) for code, words in _SMALL_WORDS.items()}
_IN_ALL = frozenset().union(*_LANGUAGES.values())
_ENGLISH_SHARE = 0.5  # of its words are known ones


def supports(quotes: str, *, question: str, answer: str) -> bool:
    """Whether quotes, as one text, bear on an answer: they say what it says, in these words or others."""
    said = _content(answer)
    if not said - _content(question):
        return _bears_on_question(quotes, said | _content(question))
    if _are_foreign(answer, quotes):
        return True
    quoted = _content(quotes)
    if _is_english(answer):
        return _coverage(said, quoted) >= _COVERED
    return bool(_stems(said) & _stems(quoted))


def _bears_on_question(quotes: str, question: set[str]) -> bool:
    quoted = _content(quotes)
    if not question or not quoted or _are_foreign(" ".join(question), quotes):
        return True
    if _stems(question) & _stems(quoted):
        return True
    return max(likeness(word, other) for word in question for other in quoted) >= _ABOUT_QUESTION


def _coverage(said: set[str], quoted: set[str]) -> float:
    """Share of what is said that is quoted, each word as far as its likest one is like it."""
    if not said or not quoted:
        return 0.0
    stems = _stems(quoted)
    found = sum(
        weight(word) * (1.0 if stem(word) in stems else max(_likeness(word, other) for other in quoted))
        for word in said
    )
    return found / sum(map(weight, said))


def _likeness(word: str, other: str) -> float:
    """A number is like itself alone, though numbers are used alike."""
    return 0.0 if word[0].isdigit() or other[0].isdigit() else likeness(word, other)


def _content(text: str) -> set[str]:
    """The words that say something; of a script without blanks, each two letters that stand together."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found = set[str]()
    for written in _WORD.findall(plain):
        word = _NUMBERS.get(written, written)
        if _has_no_blanks(word):
            found |= {word[at : at + 2] for at in range(max(1, len(word) - 1))}
        elif word not in COMMON and word not in NEGATIONS and (word not in _IN_ALL or word[0].isdigit()):
            found.add(word)
    return found - {"yes", "no", "ja", "nein", "oui", "non", "sí", "si", "はい", "いいえ"}


def _stems(words: set[str]) -> set[str]:
    return {
        stem(word)
        for word in words
        if word[0].isdigit() or len(word) >= _SHORT or _has_no_blanks(word) or lexicon.rank(word) is not None
    }


def _are_foreign(one: str, two: str) -> bool:
    """Whether two texts are plainly of two languages."""
    return not _guess_languages(one) & _guess_languages(two)


def _guess_languages(text: str) -> frozenset[str]:
    """The languages a text may be written in, by its small words, or a script other than Latin."""
    letters = [c for c in text if c.isalpha()]
    other = [c for c in letters if not unicodedata.name(c, "").startswith("LATIN")]
    if len(other) * 2 > len(letters):
        script = unicodedata.name(other[0], "").split(" ")[0]
        return frozenset(["CJK" if script in ("HIRAGANA", "KATAKANA") else script])
    words = [word for word in _WORD.findall(text.casefold()) if word.isalpha()]
    counts = {code: sum(word in small for word in words) for code, small in _LANGUAGES.items()}
    most = max(counts.values())
    if _is_english(text) and (counts["en"] == most or most < 2):
        return frozenset(["en"]) if words else frozenset(_LANGUAGES)
    if not most:
        return frozenset(_LANGUAGES) - {"en"}
    return frozenset(code for code in counts if counts[code] == most)


def _is_english(text: str) -> bool:
    words = [w for w in _WORD.findall(text.casefold()) if w.isalpha() and w not in _IN_ALL]
    return not words or sum(lexicon.rank(w) is not None for w in words) >= _ENGLISH_SHARE * len(words)


def _has_no_blanks(word: str) -> bool:
    """Chinese, Japanese, Thai and their like, in which a word of this kind is a whole sentence."""
    name = unicodedata.name(word[0], "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))
