"""What a model said that fields are, read out of its answer, whatever stands around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.provider.json_form import find_object

MOST = 400  # of one answer
LONGEST = 500  # characters of a value


@dataclass(frozen=True, slots=True)
class Proposal:
    """One value as a model said it. Nothing of it is believed."""

    field: str
    text: str
    page: int
    quote: str


def read_proposals(text: str) -> list[Proposal]:
    """The values of `{"values": [{"field", "text", "page", "quote"}]}`; none where it is not of that form."""
    try:
        values = find_object(text, "values")["values"]
    except ValueError:
        return []
    return [one for each in values[:MOST] if (one := _read(each))] if isinstance(values, list) else []


def _read(each: Any) -> Proposal | None:
    try:
        page = int(str(each.get("page", 0)).strip("[] ") or 0)
        words = [each["field"], each["text"], each["quote"]]
        name, text, quote = (word.encode("utf-8", "replace").decode().strip() for word in words)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Proposal(name, text, page, quote) if text and len(text) <= LONGEST else None
