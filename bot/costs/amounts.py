"""Amounts of money as people type them: 20, $20, 20 $, 20 dollars, 1,000, 1.50, twenty dollars, 50 cents.

The one reader for every place in which somebody says how much. Amounts are US dollars and nothing is
converted; another currency is refused.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from bot.core.errors import NotUnderstood
from bot.text.numbers import split_tokens, take_and_part, take_number
from bot.text.typed import tidy

HINT = "Amounts are US dollars, like 20, $1.50 or 1,000."
NOT_CONVERTED = "Amounts are in US dollars here; I do not convert other currencies."
MOST_USD = Decimal(1_000_000_000)
_BEFORE = re.compile(r"(?:us ?\$|usd|us dollars?|\$)\s*")
_AFTER = re.compile(r"\s*(?:us ?\$|usd|us[ -]?dollars?|dollars?|bucks?|\$)")
_CENTS = re.compile(r"\s*(?:us )?(?:cents?|¢)")
_SPACED = re.compile(r"\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?")
# Other currencies as they are written out or shortened; their signs are known to Unicode.
_OTHERS = """eur euros? gbp pounds? sterling chf francs? franken jpy yen cny rmb yuan inr rs rupees? cad
aud nzd hkd sgd mxn brl reais pesos? sek nok dkk kr kroner kronor pln zloty czk huf try lira rub roubles?
rubles? krw won zar rand ils shekels? btc bitcoins?"""
_OTHER = re.compile(
    rf"(?<![a-z])(?:{'|'.join(_OTHERS.split())})(?![a-z])|(?<![a-z])(?!us)[a-z]{{1,3}} ?\$"  # C$, AU$
)


def dollars(amount: Decimal) -> str:
    """$1,234.50; $0.014; below a cent as many digits as it takes to show two."""
    if amount == 0 or abs(amount) >= Decimal("0.1"):
        return f"${amount:,.2f}"
    if abs(amount) >= Decimal("0.01"):
        return f"${amount:.3f}".removesuffix("0")
    return f"${amount:.{min(9, 1 - amount.adjusted())}f}"


def read_amount(words: str) -> Decimal:
    """US dollars; 0 is one. NotUnderstood says what is wrong."""
    text = tidy(words).casefold().rstrip(" .,!?")
    if _is_foreign(text):
        raise NotUnderstood(words, NOT_CONVERTED)
    if text.startswith("-"):
        raise NotUnderstood(words, f"Less than nothing cannot be spent. {HINT}")
    figure, part = _strip_currency(text)
    number = _read_number(words, figure) * part
    if number > MOST_USD:
        raise NotUnderstood(words, "That is more money than I can count.")
    return number


def _is_foreign(text: str) -> bool:
    signs = {letter for letter in text if unicodedata.category(letter) == "Sc"}
    return bool(signs - {"$", "¢"}) or bool(_OTHER.search(text))


def _strip_currency(text: str) -> tuple[str, Decimal]:
    """What counts the dollars, and what one of them is worth: a hundredth for cents."""
    if before := _BEFORE.match(text):
        text = text[before.end() :]
    for pattern, worth in ((_AFTER, Decimal(1)), (_CENTS, Decimal("0.01"))):
        for found in pattern.finditer(text):
            if found.end() == len(text):
                return text[: found.start()], worth
    return text, Decimal(1)


def _read_number(words: str, figure: str) -> Decimal:
    if _SPACED.fullmatch(figure):
        figure = figure.replace(" ", "")
    taken = take_number(split_tokens(figure))
    if taken is None:
        raise NotUnderstood(words, HINT)
    number, rest = taken
    part, rest = take_and_part(rest) or (Decimal(0), rest)
    if rest:
        raise NotUnderstood(words, HINT)
    return number + part
