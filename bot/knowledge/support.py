"""Whether a quote has to do with what is said on its strength.

Words are compared by their stems and, in English, by what they mean; numbers by their digits, in every
language. Where answer and quote are of two languages, other words tell nothing, and the quote counts.
"""

from __future__ import annotations

import re
import unicodedata

from bot.knowledge.coverage import find_uncovered_names, find_uncovered_numbers
from bot.knowledge.stated_numbers import list_numbers, make_comparable
from bot.ml import lexicon
from bot.ml.stemming import COMMON, NEGATIONS, likeness, stem, weight

# So much of what an English answer says, weighed by how rare its words are, has to be in its quotes. On the
# natural questions of tests/support/handbook_questions.py right quotes have 0.53 and more of it, of others
# one in twenty has half.
_COVERED = 0.5
# In other languages words are compared as they are written: so many of the answer's, or of the question's
# where the answer says it in words of its own.
_TOUCHED, _ABOUT_ASKED = 0.3, 0.4
# An answer that says nothing of its own, such as "Yes", rests on a quote that is about the question.
_ABOUT_QUESTION = 0.55
_SHORT = 4  # letters; shorter words of unknown languages are mostly articles and the like
_LONG = 5  # letters; two words that begin, or are composed, alike say something alike
_WORD = re.compile(r"\d[\d.,:]*\d|\d|[^\W\d_]+")
_HIRAGANA = re.compile("[\u3040-\u309f]+")  # alone mostly grammar
_SMALL_WORDS = {
    "en": (
        "the of and to in is that for it as with on be at by this are from or an not what who when "
        "how my you your has have can may"
    ),
    "de": (
        "der die das und ist nicht ein eine einen zu von mit für auf im den dem des sie wir ich wer "
        "wie du ihr in an am es er je ja nein bei aus nach kann hat hast hier was mir uns über zum "
        "zur"
    ),
    "fr": (
        "le la les un une des et est de du au aux que qui pour dans vous nous il pas sur avec par je "
        "tu en ce ou elle oui votre notre à on son sa ton ta mon ma ne se si j l d s n c"
    ),
    "es": (
        "el la los las una es de del al que para en por con no se su tu lo como hasta cada yo un y a "
        "sí cuando"
    ),
    "it": "il lo la gli le un una è di del della che per in con non si al da fino ogni io e ha a sono",
    "pt": "os as um uma é de do da que para em por com não se ao até cada eu e o a sim quando",
    "nl": ("de het een en is van voor niet met op te dat die in aan tot per wie wat ik je u hij er ja nee"),
}
_NUMBER_WORDS = """
zero one/first two/second/zwei/deux/dos/twee three/third/drei/dritte/dritten/trois/tres/drie
four/fourth/vier/vierte/vierten/quatre/cuatro five/fifth/fünf/fünften/cinq/cinco/vijf
six/sixth/sechs/seis/zes seven/seventh/sieben/sept/siete/zeven eight/eighth/acht/huit/ocho
nine/ninth/neun/neuf/nueve/negen ten/tenth/zehn/dix/diez/tien eleven/elf/onze
twelve/zwölf/douze/doce/twaalf thirteen/dreizehn/treize/trece/dertien
fourteen/vierzehn/quatorze/catorce/veertien fifteen/fünfzehn/quinze/quince/vijftien
sixteen/sechzehn/seize/zestien
"""
_NUMBERS = {word: str(n) for n, words in enumerate(_NUMBER_WORDS.split()) for word in words.split("/")} | {
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "hundred": "100",
}
# Languages whose numbers in words are read; in others an answer may put into digits what is said in words.
_NUMBERS_READ = frozenset(("en", "de", "fr", "es", "nl", "CJK"))
_LANGUAGES = {code: frozenset(words.split()) for code, words in _SMALL_WORDS.items()}
_IN_ALL = frozenset().union(*_LANGUAGES.values())
# What a small word says of a text's language: "die" and "je" are of several.
_SHARES = {word: 1 / sum(word in small for small in _LANGUAGES.values()) for word in _IN_ALL}
_NEARLY = 0.6  # of the most; a language with so much is not excluded
_ENGLISH_SHARE = 0.5  # of its words are known ones


def supports(quotes: str, *, question: str, answer: str, above: str = "") -> bool:
    """Whether quotes, as one text, bear on an answer: they say what it says, in these words or others.
    `above`: title and headings of where they stand."""
    said, asked, quoted = _content(answer), _content(question), _content(quotes)
    if _states_other_facts(answer, quotes, f"{question}\n{above}"):
        return False
    if _are_foreign(f"{question}\n{answer}", quotes):
        return True
    if not said - asked:
        return not quoted or not said | asked or _bears_on_question(quoted, said | asked)
    if "en" in _guess_languages(quotes) and is_english(answer):
        return max(_coverage(said, quoted), _coverage(said - asked, quoted)) >= _COVERED
    return _share_touched(said, quoted) >= _TOUCHED or _share_touched(asked, quoted) >= _ABOUT_ASKED


def measure_touch(question: str, text: str) -> float:
    """The share of a question's words that stand in a text, in one form or another."""
    return _share_touched(_content(question), _content(text))


def _share_touched(words: set[str], quoted: set[str]) -> float:
    there = _stems(quoted)
    touched = sum(
        stem(word) in there or any(_are_akin(stem(word), other) for other in there) for word in words
    )
    return touched / len(words) if words else 0.0


def share_said(statement: str, quote: str) -> float:
    """How much of a statement a quote says, by its words and numbers; compared between quotes alone."""
    said, quoted = _content(statement), _content(quote)
    stems = _stems(quoted)
    touched = sum(any(_are_akin(stem(word), other) for other in stems) for word in said)
    numbers = sum(bool(one & other) for one in list_numbers(statement) for other in list_numbers(quote))
    return _coverage(said, quoted) + (touched + 2 * numbers) / (len(said) or 1)


def _states_other_facts(answer: str, quotes: str, known: str) -> bool:
    """Whether an answer has a number, a date or a name that its quotes do not have, nor the question, nor
    what stands above the quotes."""
    languages = _guess_languages(quotes)
    if languages <= _NUMBERS_READ and find_uncovered_numbers(answer, quotes, known=known):
        return True
    if _are_foreign(answer, quotes):
        return False
    nouns = "de" in _guess_languages(answer) and not is_english(answer)
    return bool(find_uncovered_names(answer, quotes, known=known, nouns=nouns))


def _bears_on_question(quoted: set[str], question: set[str]) -> bool:
    if not is_english(" ".join(question)):
        return _touch(question, quoted)
    if _stems(question) & _stems(quoted):
        return True
    return max(likeness(word, other) for word in question for other in quoted) >= _ABOUT_QUESTION


def _touch(words: set[str], quoted: set[str]) -> bool:
    """Whether a word is in both, in another form or as a part of a longer one."""
    here, there = _stems(words), _stems(quoted)
    return bool(here & there) or any(_are_akin(one, other) for one in here for other in there)


def _are_akin(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORT or short[0].isdigit():
        return False
    return short in long or (len(short) >= _LONG and short[:_LONG] == long[:_LONG])


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
        word = make_comparable(word) if word[0].isdigit() else word
        if _has_no_blanks(word):
            pairs = {word[at : at + 2] for at in range(max(1, len(word) - 1))}
            found |= {pair for pair in pairs if not _HIRAGANA.fullmatch(pair)}
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
    counts = {
        code: sum(_SHARES.get(word, 0.0) for word in words if word in _LANGUAGES[code]) for code in _LANGUAGES
    }
    most = max(counts.values())
    if is_english(text) and (counts["en"] == most or most <= 1):
        return frozenset(["en"]) if words else frozenset(_LANGUAGES)
    if not most:
        return frozenset(_LANGUAGES) - {"en"}
    return frozenset(code for code in counts if counts[code] >= _NEARLY * most)


def is_english(text: str) -> bool:
    """Whether most words of a text are English ones; so it is where there are none."""
    words = [w for w in _WORD.findall(text.casefold()) if w.isalpha() and w not in _IN_ALL]
    return not words or sum(lexicon.rank(w) is not None for w in words) >= _ENGLISH_SHARE * len(words)


def _has_no_blanks(word: str) -> bool:
    """Chinese, Japanese, Thai and their like, in which a word of this kind is a whole sentence."""
    name = unicodedata.name(word[0], "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))
