"""Turns text into what Slack keeps: typed text becomes escaped text with <…> tokens, and rich_text blocks.

Checks of what an app sends are elsewhere (api/blocks.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# A token Slack itself writes, an entity, or a bare address that it turns into a link.
_TOKEN = re.compile(r"<(?:[@#!]|https?:|mailto:)[^<>\s][^<>]*>|&(?:amp|lt|gt);|https?://[^\s<>]+")
_NAME = re.compile(r"(?<![\w<&])([@#])([a-z0-9][\w.-]*\w|\w)", re.IGNORECASE)
_FENCED, _CODE = re.compile(r"```\n?([\s\S]*?)```"), re.compile(r"`([^`\n]+)`")
_RICH = re.compile(r"<([@#!]|https?:|mailto:)([^<>]*)>")


def escape(text: str) -> str:
    """Source: docs.slack.dev/messaging/formatting-message-text (exactly these three)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape_app_text(text: str) -> str:
    """An app's `text` as Slack stores it: tokens and entities stay, every other &, <, > is escaped."""
    if "&" not in text and "<" not in text and ">" not in text:
        return text
    parts: list[str] = []
    at = 0
    for match in _TOKEN.finditer(text):
        parts += (escape(text[at : match.start()]), match.group())
        at = match.end()
    return "".join([*parts, escape(text[at:])])


def link_names(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What a person typed, as an event carries it: @name and #name become tokens, the rest is escaped.

    `people` and `channels` map names to ids. Tokens that are already written out stay as they are.
    """
    parts, at = [], 0
    for match in _TOKEN.finditer(text):
        parts.append(_plain(text[at : match.start()], people, channels))
        token = match.group()
        parts.append(f"<{escape(token)}>" if token.startswith("http") else token)
        at = match.end()
    parts.append(_plain(text[at:], people, channels))
    return "".join(parts)


def _plain(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    def named(match: re.Match[str]) -> str:
        sign, name = match.group(1), match.group(2)
        if sign == "@":
            if name in ("here", "channel", "everyone"):
                return f"<!{name}>"
            return f"<@{people[name]}>" if name in people else match.group()
        return f"<#{channels[name]}|{name}>" if name in channels else match.group()

    return _NAME.sub(named, escape(text))


def rich_text(text: str, block_id: str) -> list[dict[str, Any]]:
    """The rich_text block of a person's message: text, user, channel, broadcast, link elements and code."""
    parts: list[dict[str, Any]] = []
    for number, piece in enumerate(_FENCED.split(text)):
        kind = "rich_text_preformatted" if number % 2 else "rich_text_section"
        if elements := _elements(piece, {}) if number % 2 else _elements_and_code(piece):
            parts.append({"type": kind, "elements": elements})
    parts = parts or [{"type": "rich_text_section", "elements": []}]
    return [{"type": "rich_text", "block_id": block_id, "elements": parts}]


def _elements_and_code(text: str) -> list[dict[str, Any]]:
    return [
        element
        for number, piece in enumerate(_CODE.split(text))
        for element in _elements(piece, {"style": {"code": True}} if number % 2 else {})
    ]


def _elements(text: str, style: dict[str, Any]) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = []
    at = 0
    for match in _RICH.finditer(text):
        _add_text(elements, text[at : match.start()])
        elements.append(_element(match.group(1), match.group(2)))
        at = match.end()
    _add_text(elements, text[at:])
    return [element | style for element in elements]


def _add_text(elements: list[dict[str, Any]], text: str) -> None:
    if text:
        elements.append({"type": "text", "text": unescape(text)})


def _element(sign: str, body: str) -> dict[str, Any]:
    target, _, label = body.partition("|")
    if sign == "@":
        return {"type": "user", "user_id": target}
    if sign == "#":
        return {"type": "channel", "channel_id": target}
    if sign == "!":
        if target.startswith("subteam^"):
            return {"type": "usergroup", "usergroup_id": target.removeprefix("subteam^")}
        return {"type": "broadcast", "range": target}
    link = {"type": "link", "url": unescape(sign + target)}
    return link | {"text": unescape(label)} if label else link


def find_mentions(text: str) -> set[str]:
    """Ids of the people a text mentions."""
    return {m.group(2).partition("|")[0] for m in _RICH.finditer(text) if m.group(1) == "@"}
