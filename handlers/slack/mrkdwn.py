"""Slack's message text as a person would read it: `<…>` tokens resolved, entities unescaped.

The other direction, what a model wrote on its way into Slack, is handlers/reply/output_filter.py.
Source: https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime

from bot.text.invisible import strip_hidden

# One token; the character class excludes both brackets, so the scan is linear.
TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
# What Slack shows as code, as far as its own marks tell. Every scan ends at the next backtick.
CODE = re.compile(r"```[\s\S]*?```|`[^`\n]+`")
# What stands for a date or a time in the format of one. Source: the page above, "Date formatting".
_DATE_PART = re.compile(r"\{(date|time|ago|day)\w*\}")


def make_readable(text: str, *, without: str = "") -> str:
    """The text with links, channels and people spelled out, mentions of the user `without` removed unless
    they are code, and nothing in it that nobody sees."""
    code = _Code(text) if without and without in text else None

    def spelled(token: re.Match[str]) -> str:
        sign, target, label = token.groups()
        if sign == "@":
            removed = target == without and not (code and token.start() in code)
            return "" if removed else f"<@{target}>"
        if sign == "#":
            return f"#{label or target}"
        if sign == "!":
            return _spell_special(target, label or "")
        address = target.removeprefix("mailto:").removeprefix("tel:")
        return f"{label} ({address})" if label and label != address else address

    return strip_hidden(unescape(TOKEN.sub(spelled, text))).strip()


def read_typed(text: str, *, without: str = "") -> str:
    """What somebody typed behind a command, letter for letter; a person or a channel that Slack resolved is
    `<@ID>` or `<#ID>`. Mentions of the user `without` are removed."""

    def spelled(token: re.Match[str]) -> str:
        sign, target, label = token.groups()
        if sign == "@":
            return "" if target == without else f"<@{target}>"
        if sign == "#":
            return f"<#{target}>"
        if sign == "!":
            return f"@{label or target.split('^')[0]}".replace("@@", "@")
        return target

    return unescape(TOKEN.sub(spelled, text))


def _spell_special(target: str, label: str) -> str:
    """What is called to everybody or to a group, and dates, which people see in words."""
    kind, _, rest = target.partition("^")
    if kind == "date":
        timestamp, _, form = rest.partition("^")
        form, _, address = form.partition("^")
        shown = label or format_date(timestamp, form)
        return f"{shown} ({address})" if address else shown
    name = label or (rest if kind == "subteam" else kind)
    return f"@{name.removeprefix('@')}"


def format_date(timestamp: str, form: str) -> str:
    """A date whose author gave no words for it, in UTC; its `form` alone where it is none."""
    try:
        moment = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return form
    words = {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M} UTC", "day": f"{moment:%A}"}
    return _DATE_PART.sub(lambda part: words.get(part[1], f"{moment:%Y-%m-%d %H:%M} UTC"), form)


class _Code:
    """Where code stands in a text."""

    def __init__(self, text: str) -> None:
        self._spans = [found.span() for found in CODE.finditer(text)]
        self._starts = [start for start, _ in self._spans]

    def __contains__(self, position: int) -> bool:
        before = bisect_right(self._starts, position) - 1
        return before >= 0 and position < self._spans[before][1]


def unescape(text: str) -> str:
    """Slack escapes these three and nothing else."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Text that Slack shows exactly as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def is_mentioned(text: str, user: str) -> bool:
    """Is this person (or bot) mentioned in a text as Slack sends it? What stands in code is no mention."""
    if f"<@{user}" not in text:
        return False
    code = _Code(text)
    found = (token for token in TOKEN.finditer(text) if token[1] == "@" and token[2] == user)
    return any(token.start() not in code for token in found)


def mentions_another(text: str, user: str) -> bool:
    """Does the text mention another person or a group, and not this one? Then it is said to them."""
    if is_mentioned(text, user):
        return False
    code = _Code(text)
    return any(_is_mention(token) and token.start() not in code for token in TOKEN.finditer(text))


def _is_mention(token: re.Match[str]) -> bool:
    return token[1] == "@" or (
        token[1] == "!" and token[2].partition("^")[0] in ("subteam", "here", "channel", "everyone")
    )
