"""Text from bytes that do not say how they are encoded."""

from __future__ import annotations

import codecs
import re
from collections import Counter

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of several bytes for a letter, and the most frequent letters of a text that really is in them.
_WIDE = (
    ("cp932", re.compile(r"[\u3041-\u30ffー、。]")),
    ("euc_jp", re.compile(r"[\u3041-\u30ffー、。]")),
    ("cp949", re.compile(r"[이다는에의을가를은하고로한지도기사리자인서시어나대있것들그아해수정과부]")),
    (
        "gb18030",
        re.compile(r"[的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出分对成会可主发年]"),
    ),
    ("big5", re.compile(r"[的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出分對成會可主發年]")),
)
# Encodings of a byte for a letter in which most letters are no Latin ones.
_OTHER = (
    ("cp1251", re.compile(r"[а-яёіїєґў]")),
    ("koi8_r", re.compile(r"[а-яё]")),
    ("cp866", re.compile(r"[а-яё]")),
    ("cp1253", re.compile(r"[ά-ώ]")),
    ("cp1256", re.compile(r"[ء-ي]")),
)
SAMPLE = 20_000  # bytes that a guess is made from
_HEBREW = re.compile(rb"[\xe0-\xfa]{2,}")  # all its letters; of other scripts these are some among others
_HIGH = re.compile(rb"[\x80-\xff]")
# Encodings in which most letters are Latin, and the others that some languages written in them have.
_LATIN = (
    (
        "cp1252",
        (
            "äöüß",
            "àâæçéèêëîïôœùûüÿ",
            "áéíñóúü",
            "áâãàçéêíóôõú",
            "àèéìíòóù",
            "åäöæøéü",
            "áðéíóúýþæö",
            "éëïóöü",
        ),
    ),
    ("cp1250", ("áčďéěíňóřšťúůýž", "ąćęłńóśźż", "áéíóöőúüű", "áäčďéíĺľňóôŕšťúýž", "čćđšž", "ăâîşţ", "äöüß")),
    ("iso8859_2", ("áčďéěíňóřšťúůýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž")),
    ("cp1254", ("çğıöşüâîû",)),
    ("cp1257", ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")),
    ("cp850", ("äöüß", "àâæçéèêëîïôùûü", "áéíñóúü", "åäöæøé")),
    ("mac_roman", ("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "åäöæøé")),
    ("cp852", ("áčďéěíňóřšťúůýž", "ąćęłńóśźż", "áéíóöőúüű")),
)
_MARKS_OF_ALL = frozenset("„“”‘’‚‹›«»–—…€§°·•©®™±×½¼¾²³µ\xa0\xad¿¡´")
_MONEY = "£¥¢"
_LETTER_BESIDE = re.compile(r"[^\W\d_]")
LIKELY = 0.15  # of the letters that are not ASCII
# What no text has, and every other kind of file soon shows.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decode(content: bytes, *, whole: bool = True) -> str | None:
    """The text, or None where it is none. Not `whole`: the last letter may be cut off."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if wide := _without_mark(content):
        return content.decode(wide, "replace")
    if _NOT_TEXT.search(content[:4_096].decode("latin-1")):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=whole)
    except UnicodeDecodeError:
        first = _HIGH.search(content)
        start = max(first.start() - SAMPLE // 2, 0) if first else 0
        return content.decode(_guess(content[start : start + SAMPLE]), "replace")


def _without_mark(content: bytes) -> str:
    """UTF-16 shows by its zeros: every other byte of ordinary text."""
    sample = content[:2_000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > len(sample) / 5 and even < len(sample) / 100:
        return "utf-16-le"
    return "utf-16-be" if even > len(sample) / 5 and odd < len(sample) / 100 else ""


def _guess(sample: bytes) -> str:
    """The encoding in which most of what is not ASCII makes sense."""
    best = max(_WIDE, key=lambda one: _share(sample, *one))
    if _share(sample, *best) >= LIKELY:
        return best[0]
    high = sum(byte > 0x7F for byte in sample)
    if high * 2 > sum(byte > 0x40 for byte in sample):
        if sum(map(len, _HEBREW.findall(sample))) > 0.95 * high:
            return "cp1255"
        return max(_OTHER, key=lambda one: _share(sample, *one))[0]
    return max(_LATIN, key=lambda one: _likeness(sample, *one))[0]


def _likeness(sample: bytes, encoding: str, alphabets: tuple[str, ...]) -> float:
    """How much of what is not ASCII is letters of one language, or marks where marks stand."""
    text = f" {sample.decode(encoding, 'replace')} "
    others = Counter(text[at - 1 : at + 2] for at in range(1, len(text) - 1) if text[at] > "\x7f")
    return max(
        sum(times for around, times in others.items() if _fits(around, letters)) for letters in alphabets
    )


def _fits(around: str, letters: str) -> bool:
    """Whether a letter belongs to such an alphabet; a mark stands at the edge of a word."""
    before, letter, after = tuple(around)
    if letter in _MARKS_OF_ALL:
        inside = _LETTER_BESIDE.match(before) and _LETTER_BESIDE.match(after)
        return not inside or letter in "’\xad°"
    if letter in _MONEY:
        return not _LETTER_BESIDE.match(after)
    # A capital within a word is a letter of another encoding.
    return letter.lower() in letters and not (letter.isupper() and before.islower())


def _share(sample: bytes, encoding: str, usual: re.Pattern[str]) -> float:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(sample)
    except UnicodeDecodeError:
        return 0.0
    other = [letter for letter in text if letter > "\x7f"]
    return len(usual.findall(text)) / len(other) if other else 0.0
