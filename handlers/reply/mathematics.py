"""Finds formulas in what a model writes, so that a person reads text and no LaTeX.

Only what is a formula beyond doubt is touched: never code, prices, variables of a shell, paths, or a regular
expression. What looked like one and is none passes letter for letter. How a formula looks as text is
handlers/reply/formulas.py's, where code blocks are handlers/reply/fences.py's. It stands before the filter of
handlers/reply/output_filter.py, which judges what comes out of here like anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.reply.fences import MARKS, CodeBlocks, find_mark_at_end, find_start

INLINE_LIMIT = 300  # characters that wait for the end of a formula in a line
DISPLAY_LIMIT = 2_000

_SPECIAL = re.compile(r"[$\\`\n]")
_CODE_END = re.compile("[`\n]")
_TICKS = re.compile("`+")
_BEGIN = re.compile(
    r"\\begin\{((?:align(?:ed|at|edat)?|equation|gather(?:ed)?|multline|eqnarray|flalign|split|displaymath|math"
    r"|[dr]?cases|[pbBvV]?(?:small)?matrix|array)\*?)\}"
)
# What may become the beginning of a formula when more has come.
_INCOMPLETE = re.compile(r"\\(?:b(?:e(?:g(?:i(?:n(?:\{[a-zA-Z]{0,12}\*?)?)?)?)?)?)?\Z|\$\$?\Z")
_DOLLARS = re.compile(r"\$+")

_BROKEN = r"`|~~~|\n[ \t>]*\n"  # no formula goes on behind it
_LINE_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)

# Letters before a dollar that belong to a currency, a variable or a path.
_JOINS_DOLLAR = re.compile(r"[A-Za-z0-9$\\/=&@%#_.]")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_OPERATOR = re.compile(r"[A-Za-z)\]}]\s*[=<>+*/-]\s*[\w\\({]|\w\s*[=<>+*/-]\s*[A-Za-z\\({]")
_ASIDE = re.compile(r"\\[A-Za-z]+\*?|\{[^{}]*\}|\b(?:sin|cos|tan|log|exp|lim|max|min|det|mod|gcd)\b")
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z][a-z]{2,}(?![A-Za-z])")
_PRICE = re.compile(r"\d[\d.,]*\s*(?:[kKMBb]|bn|USD|EUR|%)?\s*(?:[-–/]\s*(?:\d|[a-z]{2,}|\Z)|\Z)")
_VARIABLE = re.compile(r"[A-Za-z]{2,}_[A-Za-z]{2,}|[A-Z]{2,}_")
_PATTERN = re.compile(r"\\[dwsbDWB](?![A-Za-z])|\.[*+]|\[\^|\(\?")  # a regular expression
_PROSE = re.compile(r"[^\\^_=+<>]*\b(?:[a-z]|[A-Z](?=[a-z]))[a-z]{2,}\b[^\\^_=+<>]*")


@dataclass(frozen=True, slots=True)
class _Opening:
    """How a formula begins, and what ends it or shows that it is none."""

    end: int
    stop: re.Pattern[str]
    limit: int = DISPLAY_LIMIT
    dollar: bool = False
    environment: bool = False


_IN_LINE = re.compile(r"\\\\|(?P<close>\\\))|(?P<broken>\\\(|`|\n)")
_IN_DISPLAY = re.compile(rf"\\\\|(?P<close>\\\])|(?P<broken>\\\[|{_BROKEN})")
_IN_DOLLAR = re.compile(r"\\[\\$]|(?P<close>\$)|(?P<broken>`|\n)")
_IN_DOLLARS = re.compile(rf"\\[\\$]|(?P<close>\$\$)|(?P<broken>{_BROKEN})")


class Mathematics:
    """Makes formulas readable in one text as it grows; the result is the same however the text is chunked."""

    def __init__(self) -> None:
        self._held = ""
        self._line: list[str] = []  # the present line as it came
        self._blocks = CodeBlocks()
        self._run = 0  # backticks just before
        self._span = 0  # backticks that opened the code span we are in
        self._doubtful = False  # whether the rest of the paragraph is code
        self._allowed: bool | None = None  # whether this line is no code; None before it was looked at
        self._lead = ""  # quote marks and indent of this line

    def feed(self, part: str) -> str:
        """As much of the text as can be shown now."""
        if not part:
            return ""
        if not self._held and not self._run and _SPECIAL.search(part) is None:
            self._line.append(part)
            return part
        return self._read(self._held + part, ended=False)

    def finish(self) -> str:
        """The rest."""
        return self._read(self._held, ended=True)

    def _read(self, text: str, *, ended: bool) -> str:
        self._held = ""
        shown: list[str] = []
        at = 0
        while at < len(text):
            if self._run and text[at] != "`":
                self._end_run()
            found = (_SPECIAL if self._span == 0 and not self._is_code() else _CODE_END).search(text, at)
            start = found.start() if found else len(text)
            self._pass(text[at:start])
            shown.append(text[at:start])
            if found is None:
                break
            step = self._read_special(text, start, ended=ended)
            if step is None:
                self._held = text[start:]
                break
            at, piece = step
            shown.append(piece)
        return "".join(shown)

    def _pass(self, raw: str) -> None:
        if raw:
            self._line.append(raw)

    def _is_code(self) -> bool:
        """Whether this line is known to be code, as far as it is known now."""
        return self._doubtful or not self._blocks.certain or self._blocks.fence is not None

    def _read_special(self, text: str, at: int, *, ended: bool) -> tuple[int, str] | None:
        """How far it was read, and what is shown of it; None if more has to come first."""
        sign = text[at]
        if sign == "\n":
            self._end_line()
            return at + 1, sign
        if sign == "`":
            ticks = _TICKS.match(text, at)
            assert ticks is not None
            self._run += len(ticks[0])
            self._pass(ticks[0])
            return ticks.end(), ticks[0]
        if not ended and _INCOMPLETE.match(text, at):
            return None
        if not self._may_begin():
            return self._skip(text, at, at + 1)
        opening = self._find_opening(text, at)
        if opening is None:
            return self._skip_plain(text, at)
        return self._read_formula(text, at, opening, ended=ended)

    def _skip(self, text: str, at: int, end: int) -> tuple[int, str]:
        self._pass(text[at:end])
        return end, text[at:end]

    def _skip_plain(self, text: str, at: int) -> tuple[int, str]:
        """Dollars and backslashes that begin nothing; one before a backtick makes it doubtful."""
        dollars = _DOLLARS.match(text, at)
        if dollars is not None:
            return self._skip(text, at, dollars.end())
        following = text[at + 1 : at + 2]
        self._doubtful = self._doubtful or following == "`"
        return self._skip(text, at, at + 1 + (following in ("\\", "$")))

    def _may_begin(self) -> bool:
        """Whether a formula may begin in this line: it is neither a mark of a block nor indented code."""
        if self._allowed is None:
            line = "".join(self._line)
            start = find_start(line)
            self._allowed = not line.startswith(MARKS, start) and not self._blocks.is_indented(line)
            self._lead = re.sub(r"[^>\s]", " ", line[:start])
        return self._allowed

    def _find_opening(self, text: str, at: int) -> _Opening | None:
        before = self._line[-1][-1] if self._line else ""
        if text.startswith("$", at):
            dollars = _DOLLARS.match(text, at)
            if _JOINS_DOLLAR.match(before) or dollars is None or len(dollars[0]) > 2:
                return None
            if len(dollars[0]) == 2:
                return _Opening(at + 2, _IN_DOLLARS, dollar=True)
            blank = text[at + 1 : at + 2].isspace()
            return None if blank else _Opening(at + 1, _IN_DOLLAR, INLINE_LIMIT, dollar=True)
        if before == ":" and self._is_drive():
            return None
        if text.startswith("\\(", at):
            return _Opening(at + 2, _IN_LINE, INLINE_LIMIT)
        if text.startswith("\\[", at):
            return _Opening(at + 2, _IN_DISPLAY)
        if begin := _BEGIN.match(text, at):
            name = re.escape(begin[1])
            stop = re.compile(rf"\\\\|(?P<close>\\end\{{{name}\}})|(?P<broken>\\begin\{{{name}\}}|{_BROKEN})")
            return _Opening(begin.end(), stop, environment=True)
        return None

    def _is_drive(self) -> bool:
        """Whether the line ends like `C:`."""
        return re.search(r"(?<![A-Za-z])[A-Za-z]:\Z", "".join(self._line[-4:])[-3:]) is not None

    def _read_formula(self, text: str, at: int, opening: _Opening, *, ended: bool) -> tuple[int, str] | None:
        limit = opening.end + opening.limit
        stop = next(
            (found for found in opening.stop.finditer(text, opening.end, limit) if found.lastgroup), None
        )
        if stop is None and not ended and len(text) < limit:
            return None
        if stop is None or stop["close"] is None:
            return self._skip(text, at, opening.end)
        if not ended and stop.end() == len(text) and opening.dollar:
            return None  # what follows a dollar says whether it is an end
        inside, following = text[opening.end : stop.start()], text[stop.end() : stop.end() + 1]
        if not _is_mathematics(inside, opening, following):
            return self._skip(text, at, opening.end)
        raw = text[at : stop.end()]
        lead = self._lead
        quoted = ">" in lead and "\n" in raw
        latex = raw if opening.environment else inside
        formula = _show(_LINE_QUOTE.sub("", latex) if quoted else latex)
        self._pass_lines(raw)
        return stop.end(), raw if formula is None else formula.replace("\n", f"\n{lead}")

    def _pass_lines(self, raw: str) -> None:
        *lines, last = raw.split("\n")
        for line in lines:
            self._pass(line)
            self._end_line()
        self._pass(last)

    def _end_run(self) -> None:
        """A run of backticks is complete: it opens a code span, ends it, or readers differ about the rest."""
        run, self._run = self._run, 0
        if self._span == 0:
            self._span = run
        elif self._span == run:
            self._span = 0
        else:
            self._span, self._doubtful = 0, True

    def _end_line(self) -> None:
        line = "".join(self._line)
        self._line = []
        self._allowed = None
        if self._blocks.fence is not None:
            code, mark = self._blocks.split_closing(line)
            self._blocks.follow(code)
            if mark:
                self._blocks.follow(mark)
            self._span = 0
            return
        self._blocks.follow(line)
        found = find_mark_at_end(line)
        if self._blocks.fence is not None or not line.strip(" \t>"):
            self._doubtful = False
        elif found is not None and not self._doubtful and self._span == len(found["mark"]):
            self._blocks.open_after_words(found["mark"], found["info"])
        elif self._span:
            self._doubtful = True
        self._span = 0


def _is_mathematics(inside: str, opening: _Opening, following: str) -> bool:
    if not inside.strip() or _PATTERN.search(inside):
        return False
    if opening.environment:
        return True
    if opening.dollar:
        single = opening.stop is _IN_DOLLAR
        return _is_dollar_formula(inside, following) if single else _is_worth_dollars(inside, following)
    return _PROSE.fullmatch(inside) is None and not (
        opening.stop is _IN_DISPLAY and inside.strip().isdecimal()
    )


def _is_dollar_formula(inside: str, following: str) -> bool:
    """Whether what stands between two dollars cannot be anything else than mathematics."""
    if inside[-1].isspace() or (following and (following.isalnum() or following in "{($_")):
        return False
    if _PRICE.match(inside):
        return False
    return _has_mathematics(inside) and _is_without_words(inside)


def _is_worth_dollars(inside: str, following: str) -> bool:
    if following.isdigit() or _PRICE.match(inside.strip()) or "$" in inside.replace("\\$", ""):
        return False
    return (_has_mathematics(inside) and _is_without_words(inside)) or len(inside.strip()) == 1


def _has_mathematics(inside: str) -> bool:
    return bool({"^", "_"}.intersection(inside) or _COMMAND.search(inside) or _OPERATOR.search(inside))


def _is_without_words(inside: str) -> bool:
    if _COMMAND.search(inside):
        return True
    return _WORD.search(_ASIDE.sub(" ", inside)) is None and _VARIABLE.search(inside) is None


def _show(latex: str) -> str | None:
    """The formula as text. What reads it is imported at the first one: most answers have none."""
    from handlers.reply.formulas import read_formula

    return read_formula(latex)
