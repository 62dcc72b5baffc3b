"""Text as databases take it."""

from __future__ import annotations


def storable(text: str) -> str:
    """Text as every database takes it: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
