"""Filters all that a model wrote on its way into Slack, as if an attacker had written it.

What leaves here is what was said, letter for letter, and formulas as readable text, which
handlers/reply/mathematics.py makes before anything is judged: links point to vouched-for addresses only,
nobody is mentioned but those allowed, no picture is fetched and no reference resolved, because unseen joiners
stand where a client would do so. Taken out are hidden characters and keys alone. Which addresses may be links
is handlers/slack/links.py's, the inside of a line handlers/reply/output_line.py's, where code begins and ends
handlers/reply/fences.py's.

The idea: words are judged one by one, so the text flows on at every blank; only a code span waits for its
end and a line of a code block for its line break. Code is left as it is where every reader takes it for code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from bot.text.invisible import HIDDEN, strip_hidden
from bot.text.redact import KEY_BEGINS, KEY_LINE, REDACTED, Redactor
from handlers.reply.fences import (
    DEEPEST,
    MARKS,
    CodeBlocks,
    LineKind,
    find_mark_at_end,
    find_start,
    is_too_long,
)
from handlers.reply.mathematics import Mathematics
from handlers.reply.output_line import OutputLine, Spans, defuse_code
from handlers.slack.links import JOINER, WIDE

_DOTS = rf"[.\uff0e\uff61]|(?<=[\w-])(?<![{WIDE}])\u3002"
# Without any of these a text is plain words and passes as it is.
_SUSPICIOUS = re.compile(
    rf"[\n`<&@\uff20\\]|\](?=[(:])|!(?=[\[A-Za-z])|:/|mailto:|(?:{_DOTS})\w|(?i:bearer|cookie)|{HIDDEN.pattern}"
)
# Shorter than any key, so that a piece of this length needs no look by bot.text.redact.
_SHORT = 20
# What may begin something that a cut between two wide characters would tear apart.
_SPECIAL = re.compile(rf"[`<&@\[\]:\\/?#!|~\uff20]|{_DOTS}")
_LAST_WIDE = re.compile(rf"[{WIDE}](?=[^{WIDE}]*\Z)")

_LINE_END = re.compile("\n")
_SPAN_END = re.compile("[`\n]")

# The first word's letters are shown before the word is complete.
_LETTERS = re.compile("[A-Za-z]{0,32}")


class OutputFilter:
    """Filters one text as it grows; the result is the same however the text is chunked.

    `vouched`: lower-case hosts that links may point to, exactly, and single addresses without schemes
    (handlers/slack/links.py); it may grow meanwhile. `mentions`: ids of people who may be pinged. `name_of`:
    what a person or a channel is called, "" when that is not known.
    """

    def __init__(
        self,
        vouched: Collection[str],
        mentions: Collection[str],
        name_of: Callable[[str], str] = lambda id: "",
    ) -> None:
        self._mathematics = Mathematics()
        self._inline = OutputLine(vouched, mentions, name_of)
        self._word: list[str] = []  # since the last blank, as it came
        self._ready: list[str] = []  # clean words that wait for the end of what they are in
        self._until: re.Pattern[str] | None = None  # what that end needs
        self._stuck = False  # this word cannot be shown before it is complete
        self._blocks = CodeBlocks()
        self._spans = Spans()
        self._key = False  # inside a private key
        self._redactor = Redactor()
        self.redactions = 0  # secrets that were taken out
        self._line_start = True
        self._flows = False  # in the middle of a line of prose, nothing waiting
        self._first = True  # no blank yet
        self._letters = ""  # what the first word begins with
        self._letters_shown: str | None = ""  # how much of that is shown already; None once the whole word is

    def feed(self, part: str) -> str:
        """As much of the text as can be shown now."""
        return self._feed(self._mathematics.feed(part))

    def _feed(self, part: str) -> str:
        end = max(part.rfind(" "), part.rfind("\n"), part.rfind("\t")) + 1
        if end == 0:
            return self._within_word(part)
        word = "".join(self._word) + part[:end]
        self._word = [part[end:]] if end < len(part) else []
        self._stuck = False
        plain = len(word) < _SHORT and not self._redactor.waits and _SUSPICIOUS.search(word) is None
        if self._flows and plain:
            return word
        return self._filter_words(word)

    def finish(self) -> str:
        """The rest, and the end of a code block that was left open."""
        early = self._feed(self._mathematics.finish())
        return early + self._finish()

    def _finish(self) -> str:
        self._ready.append(self._clean("".join(self._word)))
        self._word = []
        text = "".join(self._ready)
        self._ready = []
        *lines, last = text.split("\n")
        shown = [self._filter_line(line) + "\n" for line in lines]
        if last or not self._line_start:
            shown.append(self._filter_line(last))
        if fence := self._blocks.fence:
            shown.append(("\n" if last else "") + fence.closing)
        return self._after_first_word("".join(shown))

    @property
    def unnamed(self) -> frozenset[str]:
        """Ids of people who were to be named, and of whom no name is known."""
        return frozenset(self._inline.unnamed)

    def _within_word(self, part: str) -> str:
        """No blank in sight: only the first word's letters and scripts without blanks flow on."""
        if not part:
            return ""
        self._word.append(part)
        if self._first and (letters := self._more_letters()):
            return letters
        if self._stuck or part.isascii() or _LAST_WIDE.search(part) is None:
            return ""
        word = "".join(self._word)
        self._stuck = _SPECIAL.search(strip_hidden(word)) is not None
        wide = _LAST_WIDE.search(word)
        if self._stuck or wide is None:
            return ""
        self._word = [word[wide.start() :]]
        return self._filter_words(word[: wide.start()])

    def _filter_words(self, raw: str) -> str:
        clean = self._clean(raw)
        self._ready.append(clean)
        if self._until is not None and self._until.search(clean) is None:
            return ""
        text = "".join(self._ready)
        *lines, last = text.split("\n")
        shown = [self._filter_line(line) + "\n" for line in lines]
        piece, waiting = self._cut_ready(last)
        if piece:
            shown.append(piece)
            self._line_start = False
        self._ready = [waiting] if waiting else []
        self._flows = not (waiting or self._line_start)
        return self._after_first_word("".join(shown))

    def _clean(self, raw: str) -> str:
        seen = strip_hidden(raw)
        if self._first:
            self._first, self._letters = False, _read_first_letters(seen)
        shown = self._redactor.redact(seen)
        self.redactions += shown.count(REDACTED) - seen.count(REDACTED)
        return shown

    def _cut_ready(self, last: str) -> tuple[str, str]:
        """What can be shown of an unfinished line, and the rest. Sets what the rest has to wait for."""
        self._until = None
        if self._blocks.fence is not None or self._key:
            self._until = _LINE_END
            return "", last
        if self._line_start:
            start = find_start(last)
            if last.startswith(MARKS, start):
                self._until = _LINE_END
            if start == len(last) <= DEEPEST or self._until is not None:
                return "", last
            self._begin_line(last)
        shown, waiting = self._filter_prose(last, ended=False)
        if waiting:
            self._until = _SPAN_END
        return shown, waiting

    def _begin_line(self, line: str) -> LineKind:
        if not line.strip():
            self._spans = Spans()  # a paragraph ends
        return self._blocks.follow(line)

    def _filter_prose(self, text: str, *, ended: bool) -> tuple[str, str]:
        """A piece of a line outside of code blocks, and what of it has to wait."""
        if not self._blocks.certain:
            self._blocks.count_ticks(text)
            return self._inline.filter_doubtful(text), ""
        pieces, waiting = self._spans.cut(text, ended=ended)
        for piece, _ in pieces:
            self._blocks.count_ticks(piece)
        return "".join(self._inline.filter_piece(piece, kind) for piece, kind in pieces), waiting

    def _filter_line(self, line: str) -> str:
        """A line to its end, or what is left of it."""
        whole, self._line_start = self._line_start, True
        if self._key and KEY_LINE.fullmatch(line):
            self.redactions += 1
            return REDACTED
        self._key = KEY_BEGINS.search(line) is not None
        if self._blocks.fence is not None:
            return self._filter_code(line)
        if whole and self._begin_line(line) is LineKind.MARK:
            self._spans = Spans()
            return defuse_code(line)
        text, opening = self._split_opening(line, whole=whole)
        shown, _ = self._filter_prose(text, ended=True)
        if opening:
            self._spans = Spans()
            return f"{shown}\n{self._blocks.open_after_words(*opening).opening}"
        return JOINER + shown if whole and is_too_long(line) else shown

    def _split_opening(self, line: str, *, whole: bool) -> tuple[str, tuple[str, ...]]:
        """The end of a line of prose, and the mark and language of a block that begins behind its words."""
        found = find_mark_at_end(line)
        if found is None or (whole and line.startswith(MARKS, find_start(line))):
            return line, ()
        before = line[: found.start()]
        spans = replace(self._spans)
        spans.cut(before, ended=True)
        return (before, found.groups()) if spans.certain and self._blocks.certain else (line, ())

    def _filter_code(self, line: str) -> str:
        """A line in a code block."""
        code, mark = self._blocks.split_closing(line)
        kind = self._blocks.follow(code)
        shown = self._inline.filter_doubtful(code) if kind is LineKind.DOUBTFUL else defuse_code(code)
        if mark:
            self._blocks.follow(mark)
            return f"{shown}\n{mark}"
        return shown

    def _after_first_word(self, shown: str) -> str:
        """What is still to be shown, when letters of the first word were shown early."""
        if self._letters_shown is None or not shown:
            return shown
        if not shown.startswith(self._letters):
            shown = f"{self._letters} {shown}"
        already, self._letters_shown = len(self._letters_shown), None
        return shown[already:]

    def _more_letters(self) -> str:
        """What the first word has grown by, as long as it is letters."""
        letters = _read_first_letters("".join(self._word[:33]))
        new = letters[len(self._letters_shown or "") :]
        self._letters_shown = letters or self._letters_shown
        return new


def filter_text(text: str, output_filter: OutputFilter) -> str:
    """A whole text at once, by a filter that has not been used."""
    return output_filter.feed(text) + output_filter.finish()


def _read_first_letters(text: str) -> str:
    letters = _LETTERS.match(text)
    assert letters is not None
    return letters[0]
