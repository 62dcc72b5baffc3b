"""What a person is told who had to wait."""

from __future__ import annotations

from bot.text.ages import format_age

SORRY_FOR_THE_WAIT = "Sorry for the wait."
LONG_WAIT = "Sorry for the wait: you asked this {age} ago."
LATE_S = 60.0  # after this long a person is owed an apology
LONG_S = 600.0  # and after this long may not remember when it was asked


def find_apology(waited_s: float) -> str:
    """ "" where nobody waited long for the first words of an answer."""
    if waited_s <= LATE_S:
        return ""
    return SORRY_FOR_THE_WAIT if waited_s <= LONG_S else LONG_WAIT.format(age=format_age(waited_s))
