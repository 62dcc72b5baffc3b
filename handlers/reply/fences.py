"""Where code blocks begin and end, as far as every reader of Markdown sees the same.

Code is shown untouched, so what is code must not be a matter of opinion. `CodeBlocks` follows a text line by
line as CommonMark does, and notices when a simpler reader, for whom every run of three backticks begins or
ends a block, or one that does not read quotes and lists, would see it differently: from there on a line may
be code, and is not certain to be.
Source: spec.commonmark.org 0.31.2, fenced code blocks and container blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

MARKS = ("```", "~~~")
# A longer mark is text: it would be repeated wherever a long answer passes into the next message.
LONGEST = 20
DEEPEST = 200  # characters of quote marks and list markers; behind more of them nothing is looked for
INFO_LIMIT = 40  # of a block's language, as much as is repeated there

_MARKER = r"(?:[-*+]|(?P<number>\d{1,9})[.)])"
_LINE = re.compile(
    rf"(?P<quotes>(?: {{0,3}}> ?)*+)(?P<lists>(?: *+{_MARKER} {{1,4}}(?=\S))*+)"
    r"(?P<blanks>[ \t]*+)(?P<rest>[^\n]*)"
)
_MARK = re.compile(r"`{3,}(?=[^`]*\Z)|~{3,}")
_TICKS = re.compile("`{3,}")
# What may stand before a mark in a line that is not complete.
_BEFORE = re.compile(r"[ \t>]*+(?:(?:[-*+]|\d{1,9}+[.)]?)[ \t]*+)*+")
# A block's mark and language that end a line.
_AT_END = re.compile(r"(?<!`)(?P<mark>`{3,20})(?P<info>[\w+#.-]{0,20})[ \t]*\Z")


class LineKind(Enum):
    """What a line, or a piece of one, is."""

    PROSE = auto()
    CODE = auto()
    DOUBTFUL = auto()  # code for some readers
    MARK = auto()  # begins or ends a block


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code block: what stands before its lines, the mark that opened it, and its language."""

    before: str
    mark: str
    info: str
    indent: int = 0  # what its lines need to belong to the list item it stands in
    after_words: bool = False

    @property
    def opening(self) -> str:
        """The line that opens it again."""
        return f"{self.before}{self.mark}{self.info[:INFO_LIMIT]}"

    @property
    def closing(self) -> str:
        """The line that closes it."""
        return self.before + self.mark

    def is_closed_by(self, line: str) -> bool:
        text = line.strip(" \t>") if ">" in self.before else line.strip(" \t")
        return text.startswith(self.mark) and not text.strip(self.mark[0])


@dataclass(slots=True)
class CodeBlocks:
    """Follows a text line by line."""

    fence: Fence | None = None
    certain: bool = True
    _item_indent: int = 0  # what a line needs to belong to the list item before it
    _paragraph: bool = False  # the last line was text
    _ticks_open: bool = False  # what a reader thinks who only counts runs of backticks

    def follow(self, line: str) -> LineKind:
        """What the next line is; of a line of prose its first word is enough."""
        read = _LINE.match(line)
        assert read is not None
        if self.fence is None and find_start(line) > DEEPEST:
            self.certain, kind = False, LineKind.PROSE
        elif self.fence is None:
            kind = self._follow_prose(read)
        else:
            kind = self._follow_code(read, self.fence)
            self.count_ticks(line)
        return self._settle(kind)

    def is_indented(self, line: str) -> bool:
        """Whether the next line is code by its indent alone, when it begins like this."""
        blanks = _leading_blanks(line.expandtabs(4))
        return not self._paragraph and blanks >= self._item_indent + 4

    def count_ticks(self, text: str) -> None:
        """Notices runs of backticks in code, in a mark, or in a piece of prose."""
        if "```" in text and len(_TICKS.findall(text)) % 2:
            self._ticks_open = not self._ticks_open

    def open_after_words(self, mark: str, info: str) -> Fence:
        """A block begins behind words of the last line."""
        fence = self.fence = Fence("", mark, info, after_words=True)
        self.count_ticks(mark)
        self._paragraph = False
        self._settle(LineKind.MARK)
        return fence

    def split_closing(self, line: str) -> tuple[str, str]:
        """A line of code, and the mark at its end that closes a block which began after words."""
        found = find_mark_at_end(line)
        fence = self.fence
        if found is None or fence is None or not fence.after_words:
            return line, ""
        closes = found["mark"] == fence.mark and not found["info"] and line[: found.start()].strip()
        return (line[: found.start()], found["mark"]) if closes else (line, "")

    def _settle(self, kind: LineKind) -> LineKind:
        fence = self.fence
        if fence is not None and (fence.mark[0] == "~" or not self._ticks_open):
            self.certain = False
        return kind if self.certain or kind is LineKind.MARK else LineKind.DOUBTFUL

    def _follow_prose(self, read: re.Match[str]) -> LineKind:
        fence = _read_fence(read)
        if fence is not None and not self._opens_for_everybody(read):
            self.certain, fence = False, None
        self._follow_list(read)
        self._paragraph = bool(read["rest"]) and fence is None
        if fence is None:
            return LineKind.PROSE
        in_item = read["lists"] or len(read["blanks"]) >= self._item_indent
        self.fence = replace(fence, indent=self._item_indent if in_item else 0)
        self.count_ticks(fence.mark)
        return LineKind.MARK

    def _opens_for_everybody(self, read: re.Match[str]) -> bool:
        """Whether nobody takes the line for the middle of a paragraph, or for indented code."""
        if "\t" in read["blanks"] or (self._paragraph and read["number"] not in (None, "1")):
            return False
        if read["lists"]:
            return _leading_blanks(read["lists"]) <= self._item_indent + 3 and not read["blanks"]
        indent = len(read["blanks"])
        return indent <= 3 or self._item_indent <= indent <= self._item_indent + 3

    def _follow_list(self, read: re.Match[str]) -> None:
        if not read["rest"]:
            return
        if read["lists"] and _leading_blanks(read["lists"]) <= self._item_indent + 3:
            self._item_indent = len(read["lists"])
        elif len(read["blanks"]) < self._item_indent:
            self._item_indent = 0

    def _follow_code(self, read: re.Match[str], fence: Fence) -> LineKind:
        quoted = ">" in fence.before
        bare = read[0][len(read["quotes"]) :] if quoted else read[0]
        text = bare.strip(" \t")
        same_quote = not quoted or read["quotes"].count(">") == fence.before.count(">")
        if text and not (same_quote and _leading_blanks(bare) >= fence.indent):
            self.certain = False  # for some it has left the quote or the list, and with it the block
        if (
            fence.is_closed_by(bare)
            and _leading_blanks(bare) <= fence.indent + 3
            and not bare.startswith("\t")
        ):
            self.fence = None
            return LineKind.MARK
        if "```" in text:
            self.certain = False  # for some it ends the block
        return LineKind.CODE


def read_opening(line: str) -> Fence | None:
    """The block that a line begins, when it stands outside of any other."""
    read = _LINE.match(line) if any(mark in line for mark in MARKS) else None
    return _read_fence(read) if read is not None and find_start(line) <= DEEPEST else None


def _read_fence(read: re.Match[str]) -> Fence | None:
    mark = _MARK.match(read["rest"])
    if mark is None or len(mark[0]) > LONGEST:
        return None
    before = read["quotes"] + " " * len(read["lists"]) + read["blanks"]
    return Fence(before, mark[0], read["rest"][len(mark[0]) :].strip())


def find_mark_at_end(text: str) -> re.Match[str] | None:
    """The mark and language that end a line, when no other mark stands before them that they could close."""
    found = _AT_END.search(text)
    return found if found is not None and len(_TICKS.findall(text)) % 2 else None


def find_start(line: str) -> int:
    """Where the words of a line begin, behind quote marks and list markers; its end as long as none have."""
    before = _BEFORE.match(line)
    assert before is not None
    return before.end()


def is_too_long(line: str) -> bool:
    """Whether a line begins with a mark that is too long to be one."""
    read = _LINE.match(line)
    mark = _MARK.match(read["rest"]) if read is not None else None
    return mark is not None and len(mark[0]) > LONGEST


def _leading_blanks(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
