"""Tells whether a Markdown text that is still growing stands inside code.

Text goes in as it comes and is only read when somebody asks, so that following an answer costs next to
nothing. Fences, spans on one line and indented blocks are code; a span that was left open ends with its line.
"""

from __future__ import annotations

import re

_BREAKS = re.compile(r"(\n|`+)")
# What may stand before a fence, the fence, and the name of a language behind it.
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?P<run>`{3,}|~{3,})[^`]*")
_INDENT = re.compile(r" {4}| {0,3}\t")
_HEAD = 200  # characters of a line that tell what kind of line it is


class CodeTracker:
    """One text: `add` what comes, then ask about the place behind it."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._head = ""  # of the current line
        self._span = 0  # backticks that opened the span we are in
        self._fence = ""  # those that opened the block we are in

    def add(self, text: str) -> None:
        self._unread.append(text)

    def is_inside(self) -> bool:
        """Whether what comes next is code. A run of backticks must not be cut by the question."""
        for piece in _BREAKS.split("".join(self._unread)):
            self._read(piece)
        self._unread.clear()
        if self._fence or self._span or _INDENT.match(self._head):
            return True
        return _FENCE.fullmatch(self._head) is not None

    def _read(self, piece: str) -> None:
        if piece == "\n":
            self._end_line()
            return
        if piece.startswith("`"):
            self._span = len(piece) if not self._span else 0 if len(piece) == self._span else self._span
        if len(self._head) < _HEAD:
            self._head += piece[:_HEAD]

    def _end_line(self) -> None:
        line, self._head, self._span = self._head, "", 0
        if self._fence:
            bare = line.strip(" \t>")
            if bare.startswith(self._fence) and not bare.strip(self._fence[0]):
                self._fence = ""
        elif fence := _FENCE.fullmatch(line):
            self._fence = fence["run"]
