"""How long ago something was, as a person says it."""

from __future__ import annotations


def format_age(seconds: float) -> str:
    """An age in its largest unit, of which there are at least two."""
    for unit, size_s in (("days", 86_400), ("hours", 3_600)):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"
