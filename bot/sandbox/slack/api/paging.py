"""Cuts lists into pages as Slack does: a limit, a cursor, and the cursor of the next page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal

T = TypeVar("T")


def page(items: Sequence[T], a: dict[str, Any]) -> tuple[list[T], str]:
    """(one page, cursor of the next or ""); a cursor is the position in decimal, as text."""
    cursor = str(a.get("cursor", ""))
    if cursor and not cursor.removeprefix("next:").isdigit():
        raise SlackRefusal(codes.INVALID_CURSOR)
    start = int(cursor.removeprefix("next:") or 0)
    size = max(1, min(int(a.get("limit", 0)) or limits.PAGE_DEFAULT, limits.PAGE_MOST))
    end = start + size
    return list(items[start:end]), f"next:{end}" if end < len(items) else ""


def next_cursor(cursor: str) -> dict[str, Any]:
    return {"response_metadata": {"next_cursor": cursor}}
