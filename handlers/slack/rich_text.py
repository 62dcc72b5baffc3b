"""Rich text as lines of plain text: what Slack's own composer makes of a person's message.

Emphasis and code keep the characters that people type for them, so that a text reads the same from its
blocks and from Slack's own rendering of them.
Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.text.marks import tidy_name
from handlers.slack.mrkdwn import format_date, make_readable
from handlers.slack.reading import DEEPEST_INDENT, Findings, Reading, as_number, as_object, as_text

_STYLES = (("bold", "*"), ("italic", "_"), ("strike", "~"))
_TICKS = re.compile("`+")


def read_rich_text(block: Mapping[str, Any], reading: Reading) -> str:
    """A rich_text block, or any part of one that holds others."""
    return "\n".join(_read_part(part, reading.deeper()) for part in reading.each(block.get("elements")))


def _read_part(part: dict[str, Any], reading: Reading) -> str:
    match part.get("type"):
        case "rich_text_list":
            return _read_list(part, reading)
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in _read_line(part, reading).split("\n"))
        case "rich_text_preformatted":
            return _read_code(part, reading)
        case "rich_text_section":
            return _read_line(part, reading)
        case _ if isinstance(part.get("elements"), list):
            return read_rich_text(part, reading)
        case _:
            return _read_inline(part, reading)


def _read_list(part: dict[str, Any], reading: Reading) -> str:
    depth, first = as_number(part.get("indent"), DEEPEST_INDENT), as_number(part.get("offset")) + 1
    ordered = part.get("style") == "ordered"
    lines = []
    for number, item in enumerate(reading.each(part.get("elements")), first):
        bullet = f"{number}." if ordered else "•"
        text = _read_part(item, reading.deeper()).replace("\n", f"\n{'  ' * (depth + 1)}")
        lines.append(f"{'  ' * depth}{bullet} {text}")
    return "\n".join(lines)


def _read_code(part: dict[str, Any], reading: Reading) -> str:
    """A block of code behind fences that are longer than any in it."""
    code = "".join(_plain(element) for element in reading.each(part.get("elements")))
    longest = max((len(run) for run in _TICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{tidy_name(as_text(part.get('language')))}\n{code.strip(chr(10))}\n{fence}"


def _plain(element: dict[str, Any]) -> str:
    """An element in code: nothing in it is a mention."""
    if element.get("type") == "user":
        return f"<@{as_text(element.get('user_id'))}>"
    return as_text(element.get("text")) or as_text(element.get("url"))


def _read_line(part: dict[str, Any], reading: Reading) -> str:
    text = "".join(_read_inline(element, reading) for element in reading.each(part.get("elements")))
    return text.removesuffix("\n")


def _read_inline(element: dict[str, Any], reading: Reading) -> str:
    kind = element.get("type")
    style = as_object(element.get("style"))
    if style.get("code"):
        return f"`{_plain(element)}`"
    if not isinstance(kind, str) or kind not in _INLINE:
        return reading.findings.name_unknown(kind)
    return _emphasise(_INLINE[kind](element, reading), style)


def _emphasise(text: str, style: Mapping[str, Any]) -> str:
    """The text between the characters that people type for emphasis; blanks stay outside of them."""
    core = text.strip()
    if not core or "\n" in core:
        return text
    marks = "".join(mark for name, mark in _STYLES if style.get(name))
    before, _, after = text.partition(core)
    return f"{before}{marks}{core}{marks[::-1]}{after}"


def _read_link(element: dict[str, Any], reading: Reading) -> str:
    address = as_text(element.get("url")).removeprefix("mailto:").removeprefix("tel:")
    label = as_text(element.get("text"))
    return f"{label} ({address})" if label and label != address else address


def _read_user(element: dict[str, Any], reading: Reading) -> str:
    user = as_text(element.get("user_id"))
    return "" if user == reading.without else f"<@{user}>"


def _read_channel(element: dict[str, Any], reading: Reading) -> str:
    channel = as_text(element.get("channel_id"))
    return f"#{reading.findings.labels.get(channel, channel)}"


def _read_group(element: dict[str, Any], reading: Reading) -> str:
    group = as_text(element.get("usergroup_id"))
    return f"@{reading.findings.labels.get(group, group)}"


def _read_emoji(element: dict[str, Any], reading: Reading) -> str:
    tone = element.get("skin_tone")
    return f":{as_text(element.get('name'))}:" + (f":skin-tone-{tone}:" if isinstance(tone, int) else "")


def _read_date(element: dict[str, Any], reading: Reading) -> str:
    shown = as_text(element.get("fallback")) or format_date(
        str(element.get("timestamp")), as_text(element.get("format"))
    )
    address = as_text(element.get("url"))
    return f"{shown} ({address})" if address else shown


def _read_file(element: dict[str, Any], reading: Reading) -> str:
    known = as_text(element.get("file_id")) in reading.findings.files
    return "" if known else reading.findings.name_unread("a file that Slack did not send along")


_INLINE: dict[str, Callable[[dict[str, Any], Reading], str]] = {
    "text": lambda element, reading: as_text(element.get("text")),
    "link": _read_link,
    "user": _read_user,
    "channel": _read_channel,
    "usergroup": _read_group,
    "team": lambda element, reading: f"@{as_text(element.get('team_id'))}",
    "broadcast": lambda element, reading: f"@{as_text(element.get('range'))}",
    "emoji": _read_emoji,
    "date": _read_date,
    "file": _read_file,
    "color": lambda element, reading: as_text(element.get("value")),
    "mrkdwn": lambda element, reading: make_readable(as_text(element.get("text")), without=reading.without),
    "plain_text": lambda element, reading: as_text(element.get("text")),
}


def find_mentioned(blocks: Any) -> dict[str, bool]:
    """Who is mentioned in rich text, each with whether that is outside of code."""
    found: dict[str, bool] = {}
    reading = Reading(Findings())
    for block in reading.each(blocks):
        if block.get("type") == "rich_text":
            _find_in(block, found, reading, code=False)
    return found


def _find_in(part: dict[str, Any], found: dict[str, bool], reading: Reading, *, code: bool) -> None:
    code = code or part.get("type") == "rich_text_preformatted"
    for element in reading.each(part.get("elements")):
        if element.get("type") == "user":
            user = as_text(element.get("user_id"))
            in_code = code or bool(as_object(element.get("style")).get("code"))
            found[user] = found.get(user, False) or not in_code
        else:
            _find_in(element, found, reading.deeper(), code=code)
