"""Numbers as a spreadsheet shows them: dates, shares, money, decimals."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

# What a cell format's number means where the file does not say. Source: ECMA-376 part 1, 18.8.30.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: "yyyy-mm-dd", 15: "yyyy-mm-dd", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0", 38: "#,##0",
    39: "#,##0.00", 40: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_CONDITION = re.compile(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_DATE = re.compile(r"[ymdhs]", re.IGNORECASE)
_DIGITS = re.compile(r"[#0?][#0?,.]*")
LAST_DAY = 2_958_466  # after the end of the year 9999
LONGEST = 255  # characters of a format that a spreadsheet takes


def show_number(value: str, code: str, *, from_1904: bool = False) -> str:
    """The text of a numeric cell; as it is where the format is not understood."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number) > Decimal("1e18") or len(code) > LONGEST:
        return value
    section = _section(code, number)
    bare = _CONDITION.sub("", _CURRENCY.sub("", _QUOTED.sub("", section)))
    if not bare or bare.lower() == "general" or "@" in bare:
        return _general(number)
    if _ELAPSED.search(bare) or _DATE.search(bare.replace("General", "")):
        return _show_moment(number, bare, from_1904=from_1904)
    try:
        return _show_amount(number, section, bare)
    except InvalidOperation:  # more decimals than are counted with
        return _general(number)


def _section(code: str, number: Decimal) -> str:
    """The part of a format that is for such a number: positive; negative; zero."""
    parts = code.split(";")
    if number < 0 and len(parts) > 1 and parts[1].strip():
        return parts[1] if "-" in parts[1] or "(" in parts[1] else f"-{parts[1]}"
    return parts[2] if number == 0 and len(parts) > 2 and _DIGITS.search(parts[2]) else parts[0]


def _general(number: Decimal) -> str:
    """Fifteen digits, as many as a spreadsheet keeps."""
    rounded = number.normalize() if number == 0 else +Decimal(f"{number:.15g}")
    return f"{rounded.normalize():f}" if abs(rounded) >= Decimal("1e-9") or not rounded else f"{rounded:g}"


def _show_amount(number: Decimal, section: str, bare: str) -> str:
    pattern = _DIGITS.search(bare)
    if pattern is None or "E" in bare or "/" in bare:
        return _general(number)
    digits = pattern[0]
    whole, _, decimals = digits.rstrip(",").partition(".")
    least, most = decimals.count("0"), len(decimals)
    number = number * 100 if "%" in bare else number
    number = number / Decimal(1000) ** (len(digits) - len(digits.rstrip(",")))
    rounded = abs(number).quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    shown = f"{rounded:,.{most}f}" if "," in whole else f"{rounded:.{most}f}"
    if most > least:
        shown = shown[: len(shown) - (most - least)] + shown[len(shown) - (most - least) :].rstrip("0")
        shown = shown.rstrip(".")
    before, after = _around(section)
    signed = number < 0 and rounded != 0 and "-" not in before and "(" not in before
    return f"{'-' if signed else ''}{before}{shown}{after}".strip()


def _around(section: str) -> tuple[str, str]:
    """What the format writes before and after the digits."""
    text = _CURRENCY.sub(lambda match: match[1], section)
    text = _CONDITION.sub("", text)
    text = _QUOTED.sub(lambda match: match[1] or match[2] or "", text)
    found = _DIGITS.search(text)
    return (text[: found.start()], text[found.end() :]) if found else ("", "")


def _show_moment(number: Decimal, bare: str, *, from_1904: bool) -> str:
    """Dates as ISO writes them, whatever order of day and month was shown: nobody mixes them up."""
    if elapsed := _ELAPSED.search(bare):
        minutes, seconds = divmod(round(number * 86_400), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}" + (
            f":{seconds:02}" if "s" in bare.lower().replace(elapsed[0], "") else ""
        )
    if not 0 <= number < LAST_DAY - (1_462 if from_1904 else 0):
        return _general(number)
    low = re.sub(r"am/pm|a/p", "", bare.lower())
    moment = _moment(number, from_1904=from_1904)
    has_day = "y" in low or "d" in low or ("m" in low and "h" not in low and "s" not in low)
    has_time = "h" in low or "s" in low
    shown = []
    if has_day:
        shown.append(_day(moment.date(), low))
    if has_time:
        shown.append(moment.strftime("%H:%M:%S" if "s" in low else "%H:%M"))
    return " ".join(shown)


def _day(day: date, low: str) -> str:
    weekday = f"{day:%a} " if "ddd" in low else ""
    if "y" not in low:
        return f"{weekday}{day.day} {day:%B}" if "d" in low else f"{day:%B}"
    return f"{weekday}{day.isoformat()}" if "d" in low else f"{day:%Y-%m}"


def _moment(number: Decimal, *, from_1904: bool) -> datetime:
    """A date counts days from 1904, or from 1900 with a 29 February that never was."""
    days = int(number)
    start = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if days < 60 else 30)
    seconds = round((number - days) * 86_400)
    return start + timedelta(days=days, seconds=seconds)
