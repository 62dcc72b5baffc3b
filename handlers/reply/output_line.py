"""One line of a model's text: code spans left alone, everything else judged word by word.

A line means the same whether it is judged at once or in pieces that end at blanks: nothing here looks across
a blank, except from one backtick to the next. Blocks and streaming are handlers/reply/output_filter.py's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.text.invisible import strip_hidden
from handlers.slack.links import DOTTED, Address, find_with_scheme, find_without_scheme

_CALL = r"(?:channel|here|everyone)(?![a-z])"
_NAME = r"(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});"

# Everything that has to be looked at. Each alternative ends within its word.
_TOKEN = re.compile(
    r"(?P<image>!(?=\[))"
    rf"|(?P<call>!(?={_CALL}|subteam\^|date\^))"
    r"|(?P<mention><@(?P<user>[UW][A-Z0-9]+)(?:\|[^<>\s]*)?>)"
    r"|(?P<channel><\#[A-Z0-9]+(?:\|[^<>\s]*)?>?)"
    r"|(?P<angle><)"
    rf"|(?P<at>[@\uff20](?={_CALL}|[UWBS][A-Z0-9]{{6,}}))"
    rf"|(?P<entity>&(?={_NAME}))"
    r"|(?P<link>\]\()"
    r"|(?P<definition>\]:)"
    r"|(?P<tildes>~{3,})"
    r"|(?P<scheme>://)"
    rf"|(?P<host>{DOTTED})",
    re.IGNORECASE,
)
_ADDRESS = re.compile(rf"(?P<scheme>://)|(?P<host>{DOTTED})")
_URL = re.compile(r"[a-z][a-z0-9+.-]*(?=://)", re.IGNORECASE)

_AMPERSANDS = re.compile(r"&(?:(?:amp|#0*38|#x0*26);)+", re.IGNORECASE)
_ENTITY = re.compile(f"&{_NAME}", re.IGNORECASE)
# Escapes that would hide one of the tokens above from us and not from others.
_ESCAPE = re.compile(r"(?<!\\)\\++(?=[:/@<>&!]|\.\w)")
_RUN = re.compile("`+")
# What Slack's own markup could make of code: mentions and links. Source: docs.slack.dev, formatting text.
_IN_CODE = re.compile(
    r"(?P<open><|&lt;)(?=[!@#][A-Za-z]|[a-z][a-z0-9+.-]*://|mailto:)|(?P<link>\])(?=\([a-z][a-z0-9+.-]*:)",
    re.IGNORECASE,
)

# In quotes, so that they do not become part of the word after them, nor brackets with the one before.
SOMEONE = "‹someone›"
SOME_CHANNEL = "‹channel›"

# What stands for a token that needs no thought.
_INSTEAD = {
    "image": "",
    "call": "! ",
    "channel": SOME_CHANNEL,
    "at": "@ ",
    "entity": "&amp;",
    "definition": "] :",
    "tildes": "~~",
}

# From where to where, and what to show instead; None: it may stay.
_Verdict = tuple[int, int, str | None]


@dataclass(frozen=True, slots=True)
class OutputLine:
    """The rules for one reply: hosts that may be linked, people who may be mentioned."""

    hosts: frozenset[str]
    mentions: frozenset[str]

    def filter_line(self, text: str) -> str:
        """Filters a line, or a piece of one that `count_closed` allows."""
        if "`" not in text:
            return self._filter_words(text)
        shown, at = [], 0
        for start, end, ticks in _find_spans(text):
            shown.append(self._filter_words(text[at:start]))
            shown.append(f"`{self._filter_span(text[start + ticks : end - ticks])}`" if ticks else "'")
            at = end
        return "".join(shown) + self._filter_words(text[at:])

    def _filter_span(self, text: str) -> str:
        """A code span. In a table a bar would end it, so then it is held to the rules for addresses."""
        return self._judge(defuse_code(text), _ADDRESS) if "|" in text else defuse_code(text)

    def _filter_words(self, text: str) -> str:
        return self._judge(_decode(text), _TOKEN)

    def _judge(self, text: str, tokens: re.Pattern[str]) -> str:
        shown: list[str] = []
        done = at = 0
        while token := tokens.search(text, at):
            start, at, instead = self._verdict(text, token, done)
            if instead is not None:
                shown += text[done:start], instead
                done = at
        return "".join(shown) + text[done:] if shown else text

    def _verdict(self, text: str, token: re.Match[str], done: int) -> _Verdict:
        match token.lastgroup:
            case "host":
                address = find_without_scheme(text, token, self.hosts)
                return _show_address(address) if address is not None else (*token.span(), None)
            case "scheme":
                return _show_address(find_with_scheme(text, token.start(), self.hosts, after=done))
            case "link":
                return self._link(text, token)
            case "angle":
                return self._angle(text, token)
            case "mention":
                user = token["user"]
                return *token.span(), f"<@{user}>" if user in self.mentions else SOMEONE
            case kind:
                return *token.span(), _INSTEAD[str(kind)]

    def _link(self, text: str, token: re.Match[str]) -> _Verdict:
        """A link's address stays if it may; else a blank parts it from the link's text."""
        start, end = token.span()
        url = _URL.match(text, end)
        if url is not None:
            address = find_with_scheme(text, url.end(), self.hosts, after=end)
            if address.allowed:
                return start, address.end, None
        return start, start + 1, "] "

    def _angle(self, text: str, token: re.Match[str]) -> _Verdict:
        """Markup, or a sign. Brackets around an address are kept if it may be a link, else dropped."""
        start, end = token.span()
        url = _URL.match(text, end)
        if url is None:
            return start, end, "&lt;"
        address = find_with_scheme(text, url.end(), self.hosts, after=end)
        if address.allowed and text[address.end : address.end + 1] == ">":
            return start, address.end + 1, None
        return start, end, ""


def count_closed(text: str) -> int:
    """How much of an unfinished line can be judged: a code span at its end may still be open."""
    before = judged = 0
    opening = False
    for start, end, ticks in _find_spans(text):
        before, judged = judged, end
        opening = not ticks and not _is_escaped(text, start)
    if not opening:
        return len(text)
    word = max(text.rfind(" ", 0, judged), text.rfind("\t", 0, judged)) + 1
    return max(before, word)


def defuse_code(text: str) -> str:
    """Code as it is, except where Slack's own markup would turn it into a mention or a link."""
    return _IN_CODE.sub(r"\g<0> ", text)


def _find_spans(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of backticks of each code span; 0 of them for a run that opens none.

    A run opens a span only if the very next run is as long, so that every reader of Markdown sees the same.
    """
    runs = list(_RUN.finditer(text))
    at = 0
    while at < len(runs):
        opening = runs[at]
        closing = runs[at + 1] if at + 1 < len(runs) else opening
        if closing is opening or len(opening[0]) != len(closing[0]) or _is_escaped(text, opening.start()):
            yield opening.start(), opening.end(), 0
            at += 1
        else:
            yield opening.start(), closing.end(), len(opening[0])
            at += 2


def _is_escaped(text: str, at: int) -> bool:
    return text[at - 1 : at] == "\\"


def _show_address(address: Address) -> _Verdict:
    return address.start, address.end, None if address.allowed else address.shown


def _decode(text: str) -> str:
    """The text as a reader of Markdown takes it, without entities and escapes that could hide a token."""
    if "&" in text:
        text = _ENTITY.sub(_decode_entity, _AMPERSANDS.sub("&", text))
    return _ESCAPE.sub("", text) if "\\" in text else text


def _decode_entity(entity: re.Match[str]) -> str:
    """What an entity stands for, as long as it cannot begin or end a line, a block or a span."""
    character = html.unescape(entity[0])
    if character == entity[0]:
        return character
    return " " if character.isspace() else strip_hidden(character).translate({96: "'", 126: "'"})
