"""A place in line in words, round enough that they change only when it has come nearer."""

from __future__ import annotations

STEPS_S = (5, 10, 15, 20, 30, 40, 50)
SOON_S = 3.0


def describe_place(place: int, wait_s: float) -> str:
    """`3rd in line, about 20 s`; a place counts from 1."""
    return f"{_ordinal(place)} in line, {_about(wait_s)}"


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _about(seconds: float) -> str:
    if seconds < SOON_S:
        return "in a moment"
    if seconds < 55:
        return f"about {min(STEPS_S, key=lambda step: abs(step - seconds))} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min"
