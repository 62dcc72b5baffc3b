"""A place in line in words, round enough that they change only when it has come nearer."""

from __future__ import annotations

STEPS_S = (5, 10, 15, 20, 30, 40, 50, 60, 90, 120)
SOON_S = 3.0


def describe_place(place: int, wait_s: float) -> str:
    """`3rd in line, about 20 s`; a place counts from 1."""
    return f"{_ordinal(place)} in line, {_about(round_wait(wait_s))}"


def round_wait(seconds: float) -> int:
    """As it is shown: to a step, or to whole minutes; 0 is in a moment."""
    if seconds < SOON_S:
        return 0
    return min([*STEPS_S, round(seconds / 60) * 60], key=lambda step: abs(step - seconds))


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _about(seconds: int) -> str:
    if not seconds:
        return "in a moment"
    return f"about {seconds // 60} min" if seconds % 60 == 0 else f"about {seconds} s"
