"""Filters all that a model wrote on its way into Slack, as if an attacker had written it.

What leaves here is plain Markdown in which links point to vouched-for hosts only, nobody is mentioned but
those allowed, no picture is fetched, no reference is resolved, and neither hidden characters nor keys are
left. Which addresses may be links is handlers/slack/links.py's, the inside of a line
handlers/reply/output_line.py's.

The idea: words are judged one by one, so the text flows on at every blank; only a code span waits for its
end and a line of a code block for its line break. Code is left as it is, so where code begins and ends must
not be a matter of opinion: fences go out at the start of a line, spans on one line with single backticks,
and a backtick that opens nothing becomes an apostrophe.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.text.invisible import HIDDEN, strip_hidden
from bot.text.redact import KEY_BEGINS, KEY_LINE, REDACTED, redact
from handlers.reply.output_line import OutputLine, count_closed, defuse_code
from handlers.slack.links import DOT, WIDE

# Without any of these a text is plain words and passes as it is.
_SUSPICIOUS = re.compile(rf"[\n`<&@\uff20\\]|\](?=[(:])|!(?=[\[A-Za-z])|:/|~~~|[{DOT}]\w|{HIDDEN.pattern}")
# Shorter than any key, so that a piece of this length needs no look by bot.text.redact.
_SHORT = 20
# What may begin something that a cut between two wide characters would tear apart.
_SPECIAL = re.compile(rf"[`<&@\[\]:\\/?#!|~{DOT}\uff20]")
_LAST_WIDE = re.compile(rf"[{WIDE}](?=[^{WIDE}]*\Z)")

# What may stand before a fence, and the fence. Deeper nesting is not looked for.
_BEFORE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*")
_BEFORE_LIMIT = 200
_FENCE = re.compile(r"(?P<run>`{3,}(?=[^`]*\Z)|~{3,})[ \t]*(?P<language>[\w+#.-]{0,20})")

_LINE_END = re.compile("\n")
_SPAN_END = re.compile("[`\n]")

# The first word's letters are shown before the word is complete, unless they may begin an address.
_LETTERS = re.compile("[A-Za-z]{0,32}")
_SCHEMES = ("h", "ht", "htt", "http", "https")


@dataclass(frozen=True, slots=True)
class _Fence:
    """An open code block: the character and length of its fence, and how far it was indented."""

    character: str
    length: int
    indent: int


class OutputFilter:
    """Filters one text as it grows; the result is the same however the text is chunked.

    `allowed_hosts`: lower-case hosts that links may point to, exactly, and single addresses without schemes
    (handlers/slack/links.py). `allowed_mentions`: ids of people.
    """

    def __init__(self, allowed_hosts: Collection[str], allowed_mentions: Collection[str]) -> None:
        self._inline = OutputLine(frozenset(allowed_hosts), frozenset(allowed_mentions))
        self._word: list[str] = []  # since the last blank, as it came
        self._ready: list[str] = []  # clean words that wait for the end of what they are in
        self._until: re.Pattern[str] | None = None  # what that end needs
        self._stuck = False  # this word cannot be shown before it is complete
        self._fence: _Fence | None = None
        self._key = False  # inside a private key
        self._line_start = True
        self._flows = False  # in the middle of a line of prose, nothing waiting
        self._first = True  # no blank yet
        self._letters = ""  # what the first word begins with
        self._letters_shown: str | None = ""  # how much of that is shown already; None once the whole word is

    def feed(self, part: str) -> str:
        """As much of the text as can be shown now."""
        end = max(part.rfind(" "), part.rfind("\n"), part.rfind("\t")) + 1
        if end == 0:
            return self._within_word(part)
        word = "".join(self._word) + part[:end]
        self._word = [part[end:]] if end < len(part) else []
        self._stuck = False
        if self._flows and len(word) < _SHORT and _SUSPICIOUS.search(word) is None:
            return word
        return self._filter_words(word)

    def finish(self) -> str:
        """The rest, and the end of a code block that was left open."""
        self._ready.append(self._clean("".join(self._word)))
        self._word = []
        text = "".join(self._ready)
        self._ready = []
        *lines, last = text.split("\n")
        shown = [self._filter_line(line) + "\n" for line in lines]
        if last or not self._line_start:
            shown.append(self._filter_line(last))
        if self._fence is not None:
            shown.append(("\n" if last else "") + "`" * self._fence.length)
        return self._after_first_word("".join(shown))

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
        self._stuck = _SPECIAL.search(word) is not None
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
        ready = self._count_ready(last)
        if ready:
            shown.append(self._inline.filter_line(last[:ready]))
            self._line_start = False
        self._ready = [last[ready:]] if ready < len(last) else []
        self._flows = not (self._ready or self._line_start)
        return self._after_first_word("".join(shown))

    def _clean(self, raw: str) -> str:
        seen = strip_hidden(raw)
        if self._first:
            self._first, self._letters = False, _read_first_letters(seen)
        return redact(seen)

    def _count_ready(self, last: str) -> int:
        """How much of an unfinished line can be judged already. Sets what the rest has to wait for."""
        self._until = None
        if self._fence is not None or self._key:
            self._until = _LINE_END
            return 0
        if self._line_start and (before := _find_fence(last)) is not None:
            if before < len(last):
                if last[before : before + 3] in ("```", "~~~"):
                    self._until = _LINE_END
                    return 0
            else:
                return 0
        ready = count_closed(last)
        if ready < len(last):
            self._until = _SPAN_END
        return ready

    def _filter_line(self, line: str) -> str:
        """A line to its end, or what is left of it."""
        whole, self._line_start = self._line_start, True
        if self._key and KEY_LINE.fullmatch(line):
            return REDACTED
        self._key = KEY_BEGINS.search(line) is not None
        if self._fence is not None:
            return self._filter_code_line(line, self._fence)
        before = _find_fence(line) if whole else None
        fence = None if before is None else _FENCE.match(line, before)
        if before is None or fence is None:
            return self._inline.filter_line(line)
        self._fence = _Fence(fence["run"][0], len(fence["run"]), before)
        item = line[:before].rstrip()
        return (item + "\n" if item else "") + "`" * self._fence.length + fence["language"]

    def _filter_code_line(self, line: str, fence: _Fence) -> str:
        bare = line.strip(" \t")
        if len(bare) >= fence.length and not bare.strip(fence.character):
            self._fence = None
            return "`" * fence.length
        if bare.startswith("`" * fence.length):
            line = line.replace("`", "'")
        indent = min(len(line) - len(line.lstrip(" \t")), fence.indent)
        return defuse_code(line[indent:])

    def _after_first_word(self, shown: str) -> str:
        """What is still to be shown, when letters of the first word were shown early."""
        if self._letters_shown is None or not shown:
            return shown
        if not shown.startswith(self._letters):
            shown = f"{self._letters} {shown}"
        already, self._letters_shown = len(self._letters_shown), None
        return shown[already:]

    def _more_letters(self) -> str:
        """What the first word has grown by, as long as it is letters that begin no address."""
        letters = _read_first_letters("".join(self._word[:33]))
        new = letters[len(self._letters_shown or "") :]
        self._letters_shown = letters or self._letters_shown
        return new


def filter_text(text: str, output_filter: OutputFilter) -> str:
    """A whole text at once, by a filter that has not been used."""
    return output_filter.feed(text) + output_filter.finish()


def _find_fence(line: str) -> int | None:
    """Where a fence may begin in a line; None when it is too deeply nested to be looked for."""
    before = _BEFORE.match(line)
    return before.end() if before is not None and before.end() <= _BEFORE_LIMIT else None


def _read_first_letters(text: str) -> str:
    letters = _LETTERS.match(text)
    assert letters is not None
    return "" if letters[0].lower() in _SCHEMES else letters[0]
