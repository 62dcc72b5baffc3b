"""What people and channels call themselves, as words in which nothing else can be read."""

from __future__ import annotations

from bot.text.invisible import strip_hidden

NAME_LIMIT = 80  # Source: docs.slack.dev, users.profile.set: a name shown has at most 80 characters
_MARKS = str.maketrans(dict.fromkeys(':：<>[]"`*_~|\\', " "))


def make_plain(name: str) -> str:
    """A name as words of one line: no label ("AI:"), no bracket, no markup."""
    return " ".join(strip_hidden(name).translate(_MARKS).split())[:NAME_LIMIT].rstrip()
