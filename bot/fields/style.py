"""How a document writes: its numbers, its days, its currency, and who sent it, as far as it tells."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from bot.fields.amounts import find_style, list_currencies, list_signs
from bot.fields.days import DayOrder, find_order
from bot.fields.pieces import DocumentPiece


@dataclass(frozen=True, slots=True)
class WritingStyle:
    """`decimal`: the sign before decimals; `order`: of days with slashes; "" where it does not tell.
    `sender`: a digest of its first line, the same in every document of one sender."""

    decimal: str
    order: DayOrder
    currencies: frozenset[str]
    signs: frozenset[str]
    sender: str


def find_writing_style(piece: DocumentPiece) -> WritingStyle:
    """Of one piece of a document."""
    text = piece.text
    first = next((line for line in text.splitlines() if line.strip()), "")
    sender = hashlib.blake2s(re.sub(r"\d+", "#", first).casefold().encode(), digest_size=8).hexdigest()
    currencies, signs = frozenset(list_currencies(text)), frozenset(list_signs(text))
    return WritingStyle(find_style(text), find_order(text), currencies, signs, sender)
