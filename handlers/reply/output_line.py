"""One line of a model's text: shown letter for letter, and nothing in it can be clicked, pinged or fetched
that may not be.

Where a client would make a link, a mention or a picture, an unseen joiner keeps it from doing so; the only
other changes are `&lt;` for a bracket, which Slack shows as the bracket, and names for ids of people. A line
means the same whether it is judged at once or in pieces that end at blanks: nothing here looks across a
blank, except from one backtick to the next. Blocks and streaming are handlers/reply/output_filter.py's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from bot.text.invisible import strip_hidden
from bot.text.plain_names import make_plain
from handlers.reply.fences import LineKind
from handlers.slack.links import (
    DOT,
    DOTTED,
    JOINER,
    MAILBOX,
    Address,
    find_joints,
    find_mail,
    find_with_scheme,
    find_without_scheme,
)

_CALL = r"(?i:(?:channel|here|everyone)(?![a-z]))"
_NAME = r"(?i:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});"

# Everything that has to be looked at. Each alternative ends within its word. (Large sets of letters without
# case stand apart: compiling them for any case takes a tenth of a start.)
_TOKEN = re.compile(
    r"(?P<image>!(?=\[))"
    rf"|(?P<call>!(?={_CALL}|(?i:subteam|date)\^))"
    r"|(?P<mention><@(?P<user>(?i:[UW][A-Z0-9]+))(?:\|[^<>\s]*)?>)"
    r"|(?P<channel><\#(?P<place>(?i:[CDG][A-Z0-9]+))(?:\|[^<>\s]*)?>)"
    r"|(?P<angle><(?=[^\s<=\d-]))"
    rf"|(?P<at>[@\uff20](?={_CALL}))"
    rf"|(?P<entity>&(?={_NAME}))"
    r"|(?P<link>\]\()"
    r"|(?P<definition>\]:)"
    r"|(?P<mailto>(?i:mailto):(?=\S))"
    r"|(?P<scheme>://)"
    rf"|(?P<mailbox>{MAILBOX})(?={DOTTED})"
    rf"|(?P<host>{DOTTED})"
)
_TRIGGER = re.compile(rf"[!<@\uff20&\]:{DOT}]")  # each of them has one of these
_URL = re.compile(r"[a-z][a-z0-9+.-]*(?=://)", re.IGNORECASE)

# What a reader of Markdown takes for another character, or for none: entities, however often encoded, and
# backslashes before what they take the meaning from.
_ENCODED = re.compile(
    rf"&(?:(?:amp|#0*38|#x0*26);)*{_NAME}|(?<!\\)\\++(?=[:/@<>&!]|[{DOT}]\w)", re.IGNORECASE
)
_LAST_ENTITY = re.compile(f"(?:&|(?<=;)){_NAME}$", re.IGNORECASE)
_JOINS_BEFORE, _JOINS_AFTER = re.compile(r"\w[.@:/-]?\Z"), re.compile(r"[.@:/-]?\w")
_RUN = re.compile("`+")
# What Slack's own markup could make of code: mentions and links. Source: docs.slack.dev, formatting text.
_IN_CODE = re.compile(
    rf"(?:<|&lt;)(?=!(?:{_CALL}|subteam\^|date\^)|@[UWB][A-Z0-9]|\#[CDG][A-Z0-9]|[a-z][a-z0-9+.-]*://|mailto:)"
    r"|\](?=\([a-z][a-z0-9+.-]*:)",
    re.IGNORECASE,
)

BRACKET = "&lt;"
ANOTHER_CHANNEL = "another channel"

# From where to where, and what stands there instead.
_Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class OutputLine:
    """The rules for one reply.

    `vouched`: hosts and addresses that may be links (handlers/slack/links.py). `mentions`: people who may be
    pinged. `name_of`: what people and channels are called, by id. `unnamed` collects ids of people of whom it
    knows no name.
    """

    vouched: Collection[str]
    mentions: Collection[str]
    name_of: Callable[[str], str]
    unnamed: set[str] = field(default_factory=set)

    def filter_prose(self, text: str, *, bracket: str = BRACKET) -> str:
        """Text outside of code: a line, or a piece of one that ends at a blank.

        `bracket` is written for one that could open something.
        """
        if "&" not in text and "\\" not in text:
            return _apply(text, self._judge(text, bracket))
        seen, ends = _read_encoded(text)
        edits = self._judge(seen, bracket)
        return _apply(text, ((ends[start], ends[end], instead) for start, end, instead in edits))

    def filter_doubtful(self, text: str) -> str:
        """Text that some readers take for code: judged as prose, and written so that both may be right."""
        return self.filter_prose(text, bracket="<" + JOINER)

    def filter_piece(self, text: str, kind: LineKind) -> str:
        """Text of which is known what it is. In a table a bar would end a code span, so one is doubtful."""
        if kind is LineKind.PROSE:
            return self.filter_prose(text)
        if kind is LineKind.DOUBTFUL or "|" in text:
            return self.filter_doubtful(text)
        return defuse_code(text)

    def _judge(self, text: str, bracket: str) -> Iterator[_Edit]:
        """What has to stand in the text, from where to where, in order."""
        at = 0
        while token := _find_token(text, at):
            after, at = at, token.end()
            match token.lastgroup:
                case "host" | "mailbox" | "scheme":
                    edits, end = self._judge_address(text, token, after)
                    at = max(end, at)
                    yield from edits
                case "link":
                    address = self._find_link(text, at)
                    if address is None:
                        yield token.start() + 1, token.start() + 1, JOINER
                    at = address.end if address else at
                case "angle":
                    address = self._find_link(text, at)
                    if address and text[address.end : address.end + 1] == ">":
                        at = address.end + 1
                    else:
                        yield *token.span(), bracket + JOINER * (text[at] in "!@#")
                case "mention":
                    yield *token.span(), _set_apart(text, token, self._show_person(token["user"], bracket))
                case "channel":
                    yield *token.span(), _set_apart(text, token, self._show_channel(token["place"]))
                case "definition":
                    yield token.start() + 1, token.start() + 1, JOINER
                case _:
                    yield at, at, JOINER

    def _judge_address(self, text: str, token: re.Match[str], after: int) -> tuple[list[_Edit], int]:
        """The joiners that an address needs, and where it ends."""
        address = self._find_address(text, token, after)
        if address is None:
            return [], token.end()
        if address.allowed:
            return [], address.end
        joints = find_joints(text, max(min(address.start, token.start()), after), address.end)
        return [(joint, joint, JOINER) for joint in joints], address.end

    def _find_address(self, text: str, token: re.Match[str], after: int) -> Address | None:
        match token.lastgroup:
            case "scheme":
                return find_with_scheme(text, token.start(), self.vouched, after=after)
            case "host":
                return find_without_scheme(text, token, self.vouched)
            case _:
                return find_mail(text, token, self.vouched)

    def _find_link(self, text: str, at: int) -> Address | None:
        """The address of a link that begins here, if it may be one."""
        url = _URL.match(text, at)
        address = find_with_scheme(text, url.end(), self.vouched, after=at) if url else None
        return address if address and address.allowed else None

    def _show_person(self, user: str, bracket: str) -> str:
        """A mention of somebody who may be pinged, the name of anybody else, the letters of an unknown id."""
        if user in self.mentions:
            return f"<@{user}>"
        if name := self.name_of(user):
            return self._show_name(name)
        self.unnamed.add(user)
        return f"{bracket}{JOINER}@{JOINER}{user}>"

    def _show_channel(self, channel: str) -> str:
        name = self.name_of(channel)
        return self._show_name(name) if name else ANOTHER_CHANNEL

    def _show_name(self, name: str) -> str:
        """Names are what people call themselves: words, and no markup."""
        return self.filter_prose(make_plain(name))


@dataclass(slots=True)
class Spans:
    """Code spans of one paragraph, as far as every reader of Markdown sees the same.

    A run of backticks opens a span only if the very next run is as long. After one that does not, readers
    differ about the rest of the paragraph: then nothing is certain to be code.
    """

    certain: bool = True

    def cut(self, text: str, *, ended: bool) -> tuple[list[tuple[str, LineKind]], str]:
        """Pieces of a line, each with what it is, and what has to wait for the next backtick.

        `ended`: the line ends here, and nothing waits.
        """
        if not self.certain:
            return [(text, LineKind.DOUBTFUL)], ""
        pieces: list[tuple[str, LineKind]] = []
        runs = list(_RUN.finditer(text))
        at = 0
        for opening, closing in zip_longest(runs, runs[1:]):
            if opening.start() < at:  # it closed the span before
                continue
            word = max(at, *(text.rfind(blank, at, opening.start()) + 1 for blank in " \t"))
            paired = closing is not None and len(closing[0]) == len(opening[0])
            if closing is None or not paired or text[at : opening.start()].endswith("\\"):
                pieces.append((text[at:word], LineKind.PROSE))
                if closing is None and not ended:
                    return pieces, text[word:]
                self.certain = False
                return [*pieces, (text[word:], LineKind.DOUBTFUL)], ""
            pieces.append((text[at : opening.start()], LineKind.PROSE))
            pieces.append((text[opening.start() : closing.end()], LineKind.CODE))
            at = closing.end()
        return [*pieces, (text[at:], LineKind.PROSE)], ""


def defuse_code(text: str) -> str:
    """Code as it is, except where Slack's own markup would turn it into a mention or a link."""
    return _IN_CODE.sub(rf"\g<0>{JOINER}", text)


def _find_token(text: str, at: int) -> re.Match[str] | None:
    """The next of `_TOKEN`, looked for only in words that can hold one."""
    while trigger := _TRIGGER.search(text, at):
        start = max(at, text.rfind(" ", at, trigger.start()) + 1)
        end = text.find(" ", trigger.end())
        end = len(text) if end < 0 else end
        if token := _TOKEN.search(text, start, end):
            return token
        at = end
    return None


def _apply(text: str, edits: Iterator[_Edit]) -> str:
    shown: list[str] = []
    done = 0
    for start, end, instead in edits:
        shown += text[done:start], instead
        done = end
    return "".join(shown) + text[done:] if shown else text


def _set_apart(text: str, token: re.Match[str], name: str) -> str:
    """A name that becomes no part of the word, or of the address, before or after it."""
    before = _JOINS_BEFORE.search(text, max(0, token.start() - 2), token.start())
    after = _JOINS_AFTER.match(text, token.end())
    return JOINER * bool(before) + name + JOINER * bool(after)


def _read_encoded(text: str) -> tuple[str, list[int]]:
    """The text as a reader of Markdown takes it, and for each place between its characters the one in `text`.

    Of backslashes before a character, the last goes with it when it takes that character's meaning away.
    """
    seen: list[str] = []
    places = [0]
    at = 0
    for encoded in _ENCODED.finditer(text):
        character = _decode(encoded[0])
        if character == encoded[0]:
            continue
        seen += text[at : encoded.start()], character
        places += range(at + 1, encoded.start() + 1)
        at = encoded.end()
        places[-1] = max(places[-1], at - len(encoded[0]) % 2) if encoded[0][0] == "\\" else places[-1]
        places += [at] * len(character)
    places += range(at + 1, len(text) + 1)
    return "".join(seen) + text[at:], places


def _decode(encoded: str) -> str:
    """What an entity stands for, as long as it can be seen; nothing for backslashes."""
    if encoded[0] == "\\":
        return ""
    last = _LAST_ENTITY.search(encoded)
    entity = "&" + (last[0].lstrip("&") if last else "")
    character = html.unescape(entity)
    if character == entity:
        return encoded
    return " " if character.isspace() else strip_hidden(character)
