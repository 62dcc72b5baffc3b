"""Questions about the assistant itself, which belong everywhere: known by their words in many languages.

Only what says nothing else is one; how such questions are put is in about_us.txt. In other words and
languages it is for the judge to see (bot/guard/model_judge.py), and where only passages count there is one of
ours (bot/knowledge/answering.py).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

from bot.ml.features import strip_invisible

_LONGEST = 120  # characters
# What may stand around such a question and says nothing.
_AROUND_IT = """
hi hello hey hiya hallo hola bonjour salut ciao oi olá ola moin servus привет здравствуйте parley please bitte
actually exactly here so then and um just really eigentlich denn genau hier und also mal donc alors ici pues
entonces aquí aqui eh btw good morning dear ok okay na eh y et och og и же ну merhaba hej hei cześć ahoj
"""
_GREETINGS = (
    "parley|さん|こんにちは|こんばんは|おはよう|ございます|はじめまして|すみません|ところで|ねえ|一体|いったい|よ|ね"
    "|你好|您好|请问|請問|那么|那|嗨|呀|啊|呢|吗|嗎|吧|안녕하세요|안녕|저기요|저기|근데|혹시|도대체"
    "|สวัสดี|ครับ|ค่ะ|คะ|ขอโทษ"
)
_NAMES_SLOT = re.compile(r"(\w+): (.*)")
_SLOT = re.compile(r"<(\w+)>")
_SPEAKS_OF_US = re.compile(
    r"\b(ai|ki|ia|ии|bots?|chatbots?|robots?|roboter|бот|робот|parley|yourself|(are|r) (you|u)|you are"
    r"|made you|your name|bist du|du bist|dein name|es tu|tu es|eres|sei un)\b|\b(you|dich|dir|u)\W*$"
)
# Accents and vowel signs that people leave out when they type.
_LEFT_OUT = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670]")
# "What's" is one word in some lists, "qu'est-ce" three.
_SPELLINGS = tuple(str.maketrans({"'": joint, "’": joint}) for joint in ("", " "))


def asks_about_us(text: str) -> bool:
    """Whether a text asks about the assistant, and says nothing else."""
    plain = strip_invisible(text)
    if len(plain) > _LONGEST:
        return False
    spoken, unbroken = _read_patterns()
    if unbroken.fullmatch("".join(_split(plain))):
        return True
    written = [_split(plain.translate(spelling)) for spelling in _SPELLINGS]
    without = [[word for word in words if word not in _around_it()] for words in written]
    return any(spoken.fullmatch("".join(f"{word} " for word in words)) for words in (*written, *without))


@cache
def _around_it() -> frozenset[str]:
    return frozenset(_fold(_AROUND_IT).split())


def may_ask_about_us(text: str) -> bool:
    """Whether it might be such a question in other words: not for words alone to refuse."""
    return _SPEAKS_OF_US.search(_fold(strip_invisible(text))) is not None


def _split(text: str) -> list[str]:
    letters = (c if unicodedata.category(c)[0] in "LMN" else " " for c in _fold(text))
    return "".join(letters).split()


def _fold(text: str) -> str:
    """The same for whatever differs by case, accents and vowel signs alone."""
    return unicodedata.normalize("NFC", _LEFT_OUT.sub("", unicodedata.normalize("NFKD", text.casefold())))


@cache
def _read_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """One to three such questions: in words with a blank behind each, and in letters alone."""
    slots, patterns = dict[str, str](), list[str]()
    for line in _fold(files("bot.guard").joinpath("about_us.txt").read_text("utf-8")).splitlines():
        if named := _NAMES_SLOT.match(line):
            slots[named[1]] = named[2]
        elif not line.startswith("#"):
            patterns.append(_SLOT.sub(lambda slot: slots[slot[1]], line))
    known = f"(?:{'|'.join(patterns)})"
    around = f"(?:{_fold(_GREETINGS)})*"
    return re.compile(f"(?:{known} ){{1,3}}"), re.compile(f"{around}(?:{known}{around}){{1,2}}")
