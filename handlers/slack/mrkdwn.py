"""Slack's message text as a person would read it: `<…>` tokens resolved, entities unescaped.

The other direction, what a model wrote on its way into Slack, is handlers/reply/output_filter.py.
Source: https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages
"""

from __future__ import annotations

import re

from bot.text.invisible import strip_hidden

# One token; the character class excludes both brackets, so the scan is linear.
TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def make_readable(text: str, *, without: str = "") -> str:
    """The text with links, channels and people spelled out, mentions of the user `without` removed, and
    nothing in it that nobody sees."""

    def spelled(token: re.Match[str]) -> str:
        sign, target, label = token.groups()
        if sign == "@":
            return "" if target == without else f"<@{target}>"
        if sign == "#":
            return f"#{label or target}"
        if sign == "!":
            return f"@{label or target.split('^')[0]}".replace("@@", "@")
        address = target.removeprefix("mailto:")
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


def unescape(text: str) -> str:
    """Slack escapes these three and nothing else."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Text that Slack shows exactly as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def is_mentioned(text: str, user: str) -> bool:
    """Is this person (or bot) mentioned in a text as Slack sends it?"""
    return f"<@{user}>" in text or f"<@{user}|" in text


def is_addressed_to_another(text: str, user: str) -> bool:
    """Does the text open with a mention of somebody else? Then it is said to them."""
    first = TOKEN.match(text.lstrip())
    return first is not None and first[1] == "@" and first[2] != user
