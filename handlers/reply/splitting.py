"""Where a text that is too long for one Slack message passes into the next, and its plain form.

`Rotation` follows a growing text and says when a message is full; `split` does the same to a whole text. A
break falls between paragraphs, else between lines, else between words. Where a code block or a table has to
be broken, the block is closed and opened again and the table's head repeated; nothing of the text is
changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from handlers.reply.fences import Fence, read_opening
from handlers.slack.mrkdwn import escape, unescape

# Source: docs.slack.dev, `markdown_text` and the markdown block: 12,000 characters, all blocks of a message
# together; their JSON was refused beyond 13,200 (bolt-js issue 2509). Counted in the largest of the ways in
# which Slack may count: UTF-16 units, as JSON.
LIMIT = 12_000
_WRITTEN_AS_TWO = '\n\t"\\'
# A growing message ends at the first paragraph's end after this share of the limit, so that it seldom has to
# end at a worse place; a text that does not fit is broken in its last half.
EARLY, HALF = 0.9, 0.5
# What closes a block takes hardly ever more.
USUAL_CLOSING = 7
# Source: chat.update `text`: 4,000 bytes, counted after escaping (GitLab merge request 258898).
PLAIN_BYTES = 4000

_BLANKS = r"[ \t]*+"  # possessive, here and below: what was taken is never given back
_CELL = rf"{_BLANKS}:?-++:?{_BLANKS}"
_DELIMITER = re.compile(rf"{_BLANKS}\|?{_CELL}(?:\|{_CELL})*\|?{_BLANKS}")

_INSIDE, _LINE, _PARAGRAPH = range(3)  # how good the end of a line is to break at

_MARKUP = re.compile(
    r"^ {0,3}(?:`{3,}|~{3,})[^\n]*|^(?=[^|\n]*+\|)[ \t|:]*+-[- \t|:]*+$|^ {0,3}#{1,6} "
    r"|!?\[(?P<label>[^\[\]\n]{0,500})\]\([^()\s]{0,2000}\)|`|\*\*|__|~~|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)",
    re.MULTILINE,
)
_MENTION = re.compile(r"(<@[UW][A-Z0-9]+>)")
_HALF_TOKEN = re.compile(r"(?:&[a-z]{0,4}|<[^<>]{0,40})\Z")


@dataclass(frozen=True, slots=True)
class _Where:
    """What the end of a line is inside of: a code block, or a table (its first two lines)."""

    fence: Fence | None = None
    head: str = ""
    line: str = ""

    def after(self, line: str) -> _Where:
        if self.fence is not None:
            return _Where(None if self.fence.is_closed_by(line) else self.fence, line=line)
        if fence := read_opening(line):
            return _Where(fence, line=line)
        if self.head and "|" in line:
            return _Where(head=self.head, line=line)
        if "|" in line and "|" in self.line and _DELIMITER.fullmatch(line):
            return _Where(head=f"{self.line}\n{line}\n", line=line)
        return _Where(line=line)


class Rotation:
    """One message after the other, filled by a growing text."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._where = _Where()
        self._line = ""  # the unfinished one
        self._opening = ""
        self.full = False  # the message takes no more: `close` it
        self._before = ("", 0, self._where, "", "")

    def take(self, text: str, *, final: bool = False) -> tuple[str, str]:
        """What goes into the message now, and what has to wait for the next one.

        `final`: nothing comes after this text, so no message ends early.
        """
        end = self._break(text[: 2 * self._limit], final=final)  # as far as the break can depend on
        self._before = (text[:end], self._size, self._where, self._line, self._opening)
        piece = self._opening + text[:end]
        self._opening = ""
        self._size += _count_units(piece)
        self._follow(text[:end])
        return piece, text[end:]

    def undo(self) -> str:
        """Takes back the last `take`, because Slack did not: the text without what was added to it."""
        text, self._size, self._where, self._line, self._opening = self._before
        self.full = False
        return text

    def close(self) -> str:
        """What ends the message properly; the next `take` begins another one."""
        unfinished, self._line = self._line, ""
        if unfinished:
            self._where = self._where.after(unfinished)
        self._size, self.full = 0, False
        fence, head = self._where.fence, self._where.head
        self._opening = fence.opening + "\n" if fence else head if len(head) <= self._limit // 4 else ""
        return ("\n" if unfinished else "") + fence.closing if fence else ""

    def _break(self, text: str, *, final: bool) -> int:
        """Where to cut: at the end of the text if it fits and no early end offers itself."""
        room = self._limit - self._size - _count_units(self._opening) - self._closing_room(text, final=final)
        fits = _count_units(text) <= room
        early = EARLY * self._limit - self._size
        if fits and (final or _count_units(text) < early):
            return len(text)
        within = text if fits else _take_units(text, room)
        ends = [(rank, end) for rank, end in self._line_ends(text, len(within)) if not fits or end >= early]
        if fits:
            paragraphs = [end for rank, end in ends if rank == _PARAGRAPH]
            self.full = bool(paragraphs)
            return paragraphs[0] if paragraphs else len(text)
        self.full = True
        late = [(rank, end) for rank, end in ends if end + self._size >= HALF * self._limit]
        word = max(within.rfind(" "), within.rfind("\n")) + 1
        if ends and "|" in within[within.rfind("\n", 0, word - 1) + 1 : word]:
            word = ends[-1][1]  # a row of a table is not broken for the sake of a fuller message
        _, end = max(late, default=(_INSIDE, word))
        return end or (0 if self._size else max(len(within), 1))

    def _closing_room(self, text: str, *, final: bool) -> int:
        """What closing a code block may take: of one that is there, or of one that may come."""
        newline = _count_units("\n")
        opened = (read_opening(line) for line in (self._line + text).split("\n"))
        there = [len(fence.closing) for fence in (self._where.fence, *opened) if fence is not None]
        return max(there, default=-newline if final else USUAL_CLOSING) + newline

    def _line_ends(self, text: str, within: int) -> Iterator[tuple[int, int]]:
        """Rank and position of each, but for the one between the two lines of a table's head."""
        where = self._where
        at = -len(self._line)
        for line, following in pairwise((self._line + text).split("\n")):
            where = where.after(line)
            at += len(line) + 1
            if at > within:
                return
            if where.fence or where.head:
                yield _INSIDE, at
            elif not ("|" in line and following and _DELIMITER.fullmatch(following)):
                yield _LINE if line.strip() else _PARAGRAPH, at

    def _follow(self, text: str) -> None:
        *lines, last = text.split("\n")
        for line in lines:
            self._where = self._where.after(self._line + line)
            self._line = ""
        self._line += last


def split(markdown: str, limit: int = LIMIT) -> list[str]:
    """The text as messages of at most `limit` characters."""
    rotation = Rotation(limit)
    parts = []
    piece, rest = rotation.take(markdown, final=True)
    while rest:
        parts.append(piece + rotation.close())
        piece, rest = rotation.take(rest, final=True)
    return [*parts, piece]


def strip_markdown(markdown: str) -> str:
    """The text without Markdown, escaped: what notifications and screen readers get as `text`.

    At most PLAIN_BYTES bytes. Mentions stay, because handlers/reply/output_filter.py has let them through.
    """
    words = " ".join(_MARKUP.sub(lambda found: found["label"] or "", markdown[:PLAIN_BYTES]).split())
    pieces = _MENTION.split(words)
    pieces[::2] = (escape(unescape(piece)) for piece in pieces[::2])
    text = "".join(pieces)
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= PLAIN_BYTES and len(markdown) <= PLAIN_BYTES:
        return text
    return _HALF_TOKEN.sub("", encoded[: PLAIN_BYTES - len("…".encode())].decode("utf-8", "ignore")) + "…"


def _count_units(text: str) -> int:
    """What a text takes of a message: UTF-16 units, and one more for each that JSON writes as two."""
    plain = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    return plain + sum(map(text.count, _WRITTEN_AS_TWO))


def _take_units(text: str, units: int) -> str:
    """The longest beginning that takes no more units than these."""
    end = max(min(len(text), units), 0)
    while (over := _count_units(text[:end]) - units) > 0 and end:
        end -= (over + 1) // 2  # no character takes more than two
    return text[:end]
