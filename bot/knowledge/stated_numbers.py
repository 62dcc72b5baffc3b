"""The numbers that a text states, however they are written: digits, dates, times, words.

A number has readings, for 1.000 is a thousand to some and one to others; two numbers are the same when they
share one. Months and weekdays are numbers of their own kind, and a month in digits is any number.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_DIGITS = re.compile(r"\d+(?:[.,:’'\u00a0\u202f]\d+)*(?:[ ]\d{3}(?!\d))*")
_GROUPED = re.compile(r"\d{1,3}(?:([.,’'\u00a0\u202f ])\d{3})(?:\1\d{3})*(?:[.,](\d+))?")
_LONGEST = 30  # characters of a number
_SCALES = {
    "thousand": 3,
    "tausend": 3,
    "k": 3,
    "mille": 3,
    "mil": 3,
    "千": 3,
    "万": 4,
    "萬": 4,
    "million": 6,
    "millions": 6,
    "millionen": 6,
    "mio": 6,
    "m": 6,
    "millones": 6,
    "billion": 9,
    "milliarden": 9,
    "mrd": 9,
    "億": 8,
    "亿": 8,
}
_DAY_AND_MONTH = re.compile(r"[0-3]?\d\.[01]?\d")
_SCALE_WORDS = "|".join(sorted(_SCALES, key=len, reverse=True))
_SCALE = re.compile(rf"[ ]?({_SCALE_WORDS})(?:(?<=[^\x00-\u2fff])|(?![^\W\d_]))", re.IGNORECASE)
_AFTERNOON = re.compile(r"[ ]?p\.?m\b", re.IGNORECASE)

_MONTHS = """
january|jan|januar|jänner|janvier|enero|gennaio|janeiro|januari
february|feb|februar|février|febrero|febbraio|fevereiro|februari
march|mar|märz|mars|marzo|março|maart
april|apr|avril|abril|aprile
may|mai|mayo|maggio|maio|mei
june|jun|juni|juin|junio|giugno|junho
july|jul|juli|juillet|julio|luglio|julho
august|aug|août|agosto|augustus
september|sep|sept|septembre|septiembre|settembre|setembro
october|oct|oktober|okt|octobre|octubre|ottobre|outubro
november|nov|novembre|noviembre|novembro
december|dec|dezember|dez|décembre|diciembre|dicembre|dezembro
"""
_WEEKDAYS = """
monday|mondays|mon|montag|montags|lundi|lunes|lunedì|maandag|月曜|月曜日|星期一|周一
tuesday|tuesdays|tue|dienstag|dienstags|mardi|martes|martedì|dinsdag|火曜|火曜日|星期二|周二
wednesday|wednesdays|wed|mittwoch|mittwochs|mercredi|miércoles|mercoledì|woensdag|水曜|水曜日|星期三|周三
thursday|thursdays|thu|donnerstag|donnerstags|jeudi|jueves|giovedì|donderdag|木曜|木曜日|星期四|周四
friday|fridays|fri|freitag|freitags|vendredi|viernes|venerdì|vrijdag|金曜|金曜日|星期五|周五
saturday|saturdays|sat|samstag|samstags|sonnabend|samedi|sábado|sabato|zaterdag|土曜|土曜日|星期六|周六
sunday|sundays|sun|sonntag|sonntags|dimanche|domingo|domenica|zondag|日曜|日曜日|星期日|星期天|周日
"""
_SHORT_FORMS = "may mai mei mar mars sep sat sun mon wed fri dec nov apr jan mayo marzo"
# Short forms that are words of their own are read beside a day or a year alone.
_DOUBTFUL = set(_SHORT_FORMS.split())
MONTHS = {word: n for n, words in enumerate(_MONTHS.split(), 1) for word in words.split("|")}
WEEKDAYS = {word: n for n, words in enumerate(_WEEKDAYS.split(), 1) for word in words.split("|")}
_WIDE_DAY = re.compile(r"[月火水木金土日]曜日?|(?:星期|周)[一二三四五六日天]")

_SMALL = """
zero|null|zéro|cero|nul
one|first|ein|eins|eine|einen|einer|erste|ersten|un|une|uno|una|een
two|second|zwei|zweite|zweiten|deux|dos|twee
three|third|drei|dritte|dritten|trois|tres|drie
four|fourth|vier|vierte|vierten|quatre|cuatro
five|fifth|fünf|fünfte|fünften|cinq|cinco|vijf
six|sixth|sechs|sechste|sechsten|seis|zes
seven|seventh|sieben|siebte|sept|siete|zeven
eight|eighth|acht|achte|huit|ocho
nine|ninth|neun|neunte|neuf|nueve|negen
ten|tenth|zehn|zehnte|dix|diez|tien
eleven|eleventh|elf|elfte|onze
twelve|twelfth|zwölf|zwölfte|douze|doce|twaalf
thirteen|dreizehn|treize|trece|dertien
fourteen|vierzehn|quatorze|catorce|veertien
fifteen|fünfzehn|quinze|quince|vijftien
sixteen|sechzehn|seize|zestien
seventeen|siebzehn|zeventien
eighteen|achtzehn|achttien
nineteen|neunzehn|negentien
"""
_TENS = """
twenty|zwanzig|vingt|veinte|twintig
thirty|dreißig|dreissig|trente|treinta|dertig
forty|vierzig|quarante|cuarenta|veertig
fifty|fünfzig|cinquante|cincuenta|vijftig
sixty|sechzig|soixante|sesenta|zestig
seventy|siebzig|setenta|zeventig
eighty|achtzig|ochenta|tachtig
ninety|neunzig|noventa|negentig
"""
_UNITS = {word: n for n, words in enumerate(_SMALL.split()) for word in words.split("|")}
_UNITS |= {word: 10 * n for n, words in enumerate(_TENS.split(), 2) for word in words.split("|")}
_UNITS |= {"dozen": 12, "dutzend": 12}
_HUNDREDS = {"hundred": 100, "hundert": 100, "cent": 100, "cien": 100, "honderd": 100}
_THOUSANDS = {"thousand": 1000, "tausend": 1000, "mille": 1000, "duizend": 1000}
_JOINED = {"and", "und", "et", "y", "en", "a"}
_GERMAN = re.compile(
    r"(?:(?P<h>[a-zäöüß]*?)hundert)?(?:(?P<u>[a-zäöüß]+?)und)?(?P<t>[a-zäöüß]+)?", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_WIDE_DIGITS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_WIDE_TENS = {"十": 10, "百": 100, "千": 1000}
_WIDE_RUN = re.compile("[〇零一二三四五六七八九十百千万萬两兩]+")
# What a text in words may state that is not read here.
UNREAD = re.compile(
    r"\b(half|quarter|twice|double|triple|halb\w*|hälfte|viertel|doppelt\w*|zweimal|demie?|moitié|medi[ao]"
    r"|mitad|doble|helft|dubbel|anderthalb|eineinhalb|quart|couple|pair|paar)\b|[半倍]|\bmeia?\b",
    re.IGNORECASE,
)

Readings = frozenset[str]  # "d30" a number, "m3" a month, "w1" a weekday, "15:30" a time


def list_numbers(text: str) -> list[Readings]:
    """Those written in digits, and months and weekdays in words."""
    plain = unicodedata.normalize("NFKC", text)
    found = [reading for match in _DIGITS.finditer(plain) for reading in _read_digits(plain, match)]
    return found + _list_days(plain.casefold())


def list_spelled(text: str) -> list[Readings]:
    """Those written in words, as far as they are read: English, German, French, Spanish, Dutch, and the
    numerals of Chinese and Japanese."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    wide = [_read_wide(match[0]) for match in _WIDE_RUN.finditer(plain)]
    return [*_list_words(plain), *(_as_number(n) for n in wide if n is not None)]


def make_comparable(number: str) -> str:
    """A number in digits as a word: the same however its thousands are set apart."""
    grouped = _GROUPED.fullmatch(number)
    return re.sub(r"[^0-9]", "", number) if grouped and grouped[2] is None else number


def _read_digits(text: str, match: re.Match[str]) -> list[Readings]:
    written = match[0]
    if len(written) > _LONGEST:
        return []
    dotted = written.count(".") > 1 and not _GROUPED.fullmatch(written)
    if dotted or (_DAY_AND_MONTH.fullmatch(written) and text[match.end() : match.end() + 1] == "."):
        return [_as_number(int(part)) for part in re.split(r"\D+", written) if part]
    if ":" in written:
        return [_read_time(text, match)]
    values = _read_values(written)
    scale = _SCALE.match(text, match.end())
    if scale:
        values |= {value.scaleb(_SCALES[scale[1].casefold()]) for value in values}
    if _AFTERNOON.match(text, match.end()):
        values |= {value + 12 for value in values}
    return [frozenset(map(_name, values)) | _read_clock(written)]


def _read_values(written: str) -> set[Decimal]:
    values = set[Decimal]()
    if grouped := _GROUPED.fullmatch(written):
        whole, rest = written, ""
        if grouped[2] is not None:
            whole, rest = written[: grouped.start(2) - 1], grouped[2]
        values.add(Decimal(f"{re.sub(r'[^0-9]', '', whole)}.{rest or '0'}"))
    parts = re.split(r"[.,]", written)
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        values.add(Decimal(".".join(parts)))
    if not values:
        values = {Decimal(part) for part in re.findall(r"\d+", written)[:1]}
    return values


def _read_time(text: str, match: re.Match[str]) -> Readings:
    hours, minutes = (int(part) for part in re.findall(r"\d+", match[0])[:2])
    if _AFTERNOON.match(text, match.end()) and hours < 12:
        hours += 12
    return _as_time(hours, minutes)


def _as_time(hours: int, minutes: int) -> Readings:
    spoken = {f"{hours}:{minutes:02}"} | ({f"{hours - 12}:{minutes:02}"} if hours > 12 else set())
    return frozenset(spoken | ({f"d{hours}", f"d{hours - 12}"} if not minutes else set()))


def _read_clock(written: str) -> Readings:
    """15.30 may be a time."""
    clock = re.fullmatch(r"([01]?\d|2[0-4])[.]([0-5]\d)", written)
    return frozenset({f"{int(clock[1])}:{clock[2]}"}) if clock else frozenset()


def _name(value: Decimal) -> str:
    return f"d{value.normalize():f}"


def _as_number(number: int) -> Readings:
    return frozenset({f"d{number}"})


def _list_days(text: str) -> list[Readings]:
    """Months, also as the number of one, and weekdays."""
    found = [frozenset({f"w{WEEKDAYS[day[0]]}"}) for day in _WIDE_DAY.finditer(text) if day[0] in WEEKDAYS]
    for word in _WORD.finditer(text):
        if word[0] in _DOUBTFUL and not _stands_by_digit(text, word):
            continue
        if number := MONTHS.get(word[0]):
            found.append(frozenset({f"m{number}", f"d{number}"}))
        elif number := WEEKDAYS.get(word[0]):
            found.append(frozenset({f"w{number}"}))
    return found


def _stands_by_digit(text: str, word: re.Match[str]) -> bool:
    around = text[max(0, word.start() - 4) : word.start()] + text[word.end() : word.end() + 3]
    return any(c.isdigit() for c in around)


def _list_words(text: str) -> list[Readings]:
    """Numbers in words, several of them together where they are one: one hundred and twenty."""
    found, total, run = list[Readings](), 0, False
    words = _WORD.findall(text.replace("-", " "))
    for word in [*words, ""]:
        value = _UNITS.get(word) if word in _UNITS else _read_german(word)
        if value is not None and not (run and total % 10):
            total, run = (total + value, True) if run else (value, True)
        elif run and word in _HUNDREDS | _THOUSANDS:
            total *= (_HUNDREDS | _THOUSANDS)[word]
        elif run and word in _JOINED:
            continue
        else:
            found += [_as_number(total)] if run else []
            total, run = (value, True) if value is not None else (0, False)
            if word in _HUNDREDS or word in _THOUSANDS:
                total, run = (_HUNDREDS | _THOUSANDS)[word], True
    return found


def _read_german(word: str) -> int | None:
    """einundzwanzig, hundertzwanzig."""
    parts = _GERMAN.fullmatch(word) if "und" in word or "hundert" in word else None
    if parts is None:
        return None
    hundreds, unit, tens = parts["h"], parts["u"], parts["t"]
    known = [part for part in (hundreds, unit, tens) if part]
    if not known or any(part not in _UNITS for part in known):
        return 100 if word == "hundert" else None
    value = (_UNITS[hundreds] if hundreds else 1) * 100 if hundreds is not None else 0
    return value + (_UNITS[unit] if unit else 0) + (_UNITS[tens] if tens else 0)


def _read_wide(run: str) -> int | None:
    """三十二 is 32; a single 一 or a bare 万 says too little."""
    if len(run) == 1 and run in "一千万萬百":
        return None
    total, section, digit = 0, 0, 0
    for c in run:
        if c in _WIDE_DIGITS:
            digit = digit * 10 + _WIDE_DIGITS[c] if digit and section == 0 and total == 0 else _WIDE_DIGITS[c]
        elif c in _WIDE_TENS:
            section, digit = section + (digit or 1) * _WIDE_TENS[c], 0
        else:
            total, section, digit = (total + section + digit) * 10_000, 0, 0
    return total + section + digit
