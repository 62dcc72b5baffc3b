"""LaTeX formulas as text that anybody can read: `\\frac{a+b}{c}` is (a+b)/c, `x^2` is x².

pylatexenc reads them and knows the signs; what a fraction, a root, a power or a matrix looks like is decided
here, because as text they need brackets that LaTeX does not. What cannot be read is None. Imported at the
first formula only: handlers/reply/mathematics.py finds them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pylatexenc.latex2text import fmt_math_text_style, get_default_latex_context_db
from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError
from pylatexenc.macrospec import EnvironmentSpec, LatexContextDb, MacroSpec, std_environment, std_macro

from handlers.reply.formula_text import (
    Piece,
    PieceKind,
    attach_scripts,
    join,
    make_fraction,
    make_group,
    make_root,
)

# A character, or what pylatexenc made of a command, a group or an environment.
_Token = Any

_DEEPEST = 40  # groups within groups; more is no formula, and reading it would need too large a stack
_SIZES = re.compile(
    r"\\(?:(?:left|right|middle)(?![A-Za-z])\s*\.?|[bB]igg?[lrm]?(?![A-Za-z])|(?:display|text|script)style(?![A-Za-z]))\s*"
)
_ROW_END = re.compile(r"(\\\\)\*?(?: ?\[-?[\d.]{1,8} ?[a-z]{2}\])?")
_PERCENT = re.compile(r"((?<!\\)(?:\\\\)*)%")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac")
_FUNCTIONS = _names(
    "arccos arcsin arctan arg argmax argmin cos cosh cot coth csc deg "
    "det dim exp gcd hom inf ker lg lim ln log "
    "max min mod bmod Pr sec sin sinh sup tan tanh liminf limsup"
)
_BIG = _names("sum prod coprod int iint iiint oint bigcup bigcap bigoplus bigotimes bigvee bigwedge")
_BINARY = _names(
    "pm mp times cdot div ast star circ bullet cup cap wedge vee land lor oplus otimes ominus odot setminus "
    "sqcup uplus"
)
_SILENT = _names("limits nolimits nonumber notag hline ! allowbreak left right")
_BLANKS = frozenset([",", ";", ":", " ", ">", "enspace", "thinspace", "hspace", "\n"])
_WIDE = frozenset(["quad", "qquad"])
_LITERAL = _names("text textrm textbf textit textsf texttt textnormal mbox hbox mathrm ce pu")
_STYLED = _names(
    "mathbf mathit mathsf mathtt mathnormal boldsymbol bm pmb boxed underline mathop mathbin mathrel mathord "
    "ensuremath underbrace overbrace textcolor color substack"
)
_ALPHABETS = {"mathbb": "doublestruck", "mathcal": "script", "mathscr": "script", "mathfrak": "fraktur"}
_ARROWS = {"xrightarrow": "→", "xleftarrow": "←"}
_ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304",
    "overline": "\u0305", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "check": "\u030c",
    "breve": "\u0306", "acute": "\u0301", "grave": "\u0300", "mathring": "\u030a",
}  # fmt: skip
# What pylatexenc's table of signs lacks, or has otherwise.
_SIGNS = {
    "gets": "←", "implies": "⟹", "impliedby": "⟸", "iff": "⟺", "coloneqq": "≔", "lt": "<", "gt": ">",
    "land": "∧", "lor": "∨", "neg": "¬", "ne": "≠", "|": "‖", "degree": "°", "triangle": "△", "Re": "Re",
    "Im": "Im", "colon": ":", "models": "⊨", "lbrack": "[", "rbrack": "]", "checkmark": "✓", "mid": "∣",
    "ast": "∗", "prime": "′", "dotsc": "…", "dotsb": "⋯", "dotsm": "⋯", "dotsi": "⋯", "blacksquare": "■",
    "qed": "∎", "nmid": "∤", "restriction": "↾", "vdots": "⋮", "ddots": "⋱", "And": "&", "divides": "∣",
    "limsup": "lim sup", "liminf": "lim inf", "argmax": "arg max", "argmin": "arg min", "bmod": "mod",
}  # fmt: skip
_ORDINARY = "∞∂∇∀∃∄¬∅∠…⋯⋮⋱′ħℓ°⊤⊥△□■✓∎√%#$&_℧ℵ∴∵"
_OPENING, _CLOSING = "([{⟨⌊⌈", ")]}⟩⌋⌉"
_MATRICES = {
    "pmatrix": "()", "bmatrix": "[]", "Bmatrix": "{}", "vmatrix": "||", "Vmatrix": "‖‖", "matrix": "[]",
    "smallmatrix": "[]", "psmallmatrix": "()", "bsmallmatrix": "[]", "array": "[]",
}  # fmt: skip
_CASES = frozenset(["cases", "dcases", "rcases"])
_SEVERAL_LINES = _names(
    "align aligned alignat alignedat eqnarray equation flalign gather gathered "
    "multline split displaymath math"
)

_FACTORS = (PieceKind.LETTER, PieceKind.NUMBER, PieceKind.CLOSE)

# Letters that would begin a list, a heading or a quote at the start of a line.
_LINE_START = re.compile(r"^([-+#]) +", re.MULTILINE)
_QUOTE = re.compile("^>", re.MULTILINE)
# An underscore that does not stand between letters could be emphasis.
_LOOSE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


class UnreadableFormula(Exception):
    """It breaks LaTeX's own rules."""


def read_formula(latex: str) -> str | None:
    """A formula as lines of text; None if it cannot be read."""
    if _depth(latex) > _DEEPEST:
        return None
    plain = _PERCENT.sub(r"\1\\%", _ROW_END.sub(r"\1", _SIZES.sub("", latex)))
    walker = LatexWalker(plain, latex_context=_context(), tolerant_parsing=False)
    try:
        nodes, start, length = walker.get_latex_nodes()
        text = _show_lines(list(_tokens(nodes)))
    except (LatexWalkerParseError, UnreadableFormula, RecursionError):
        return None
    if start + length != len(plain) or not text.strip():
        return None
    return _make_harmless(text)


def _make_harmless(text: str) -> str:
    """Nothing in it means anything to Markdown."""
    text = _QUOTE.sub("＞", _LINE_START.sub(r"\1", text.replace("*", "∗").replace("`", "‵")))
    return _LOOSE_UNDERSCORE.sub("＿", text)


def _depth(latex: str) -> int:
    """How deep groups, commands in need of an argument, and environments may stand in each other."""
    depth = deepest = 0
    for brace in re.findall(r"\\[{}]|[{}]", latex):
        depth += (brace == "{") - (brace == "}")
        deepest = max(deepest, depth)
    return max(
        deepest,
        latex.count(r"\begin"),
        max(map(len, re.findall(r"(?:\\[A-Za-z]+\s*)+", latex)), default=0) // 10,
    )


@cache
def _context() -> Any:
    """What pylatexenc has to know of arguments; other commands have none."""
    one = ("mathrm", *_LITERAL, *_STYLED - {"textcolor"}, *_ALPHABETS, *_ACCENTS, *_ARROWS)
    arguments = {
        **dict.fromkeys(_FRACTIONS, "{{"),
        **dict.fromkeys(("binom", "dbinom", "tbinom", "overset", "underset", "stackrel", "textcolor"), "{{"),
        **dict.fromkeys(
            (*one, "pmod", "tag", "label", "phantom", "hphantom", "vphantom", "hspace", "vspace"), "{"
        ),
        "operatorname": "*{",
        "sqrt": "[{",
    }
    context = LatexContextDb()
    context.add_context_category(
        "formulas",
        macros=[std_macro(name, argspec) for name, argspec in arguments.items()],
        environments=[std_environment(name, argspec) for name, argspec in _environments()],
    )
    context.set_unknown_macro_spec(MacroSpec(""))
    context.set_unknown_environment_spec(EnvironmentSpec(""))
    return context


def _environments() -> Iterator[tuple[str, str]]:
    yield "array", "[{"
    for name in ("alignat", "alignat*", "alignedat"):
        yield name, "{"
    for name in ("pmatrix*", "bmatrix*", "matrix*", "vmatrix*"):
        yield name, "["


@cache
def _sign(name: str) -> str | None:
    """What a command stands for, when it is one sign or name."""
    if name in _SIGNS:
        return _SIGNS[name]
    if name in _FUNCTIONS:
        return name
    found = get_default_latex_context_db().get_macro_spec(name)
    text = getattr(found, "simplify_repl", None)
    if not isinstance(text, str) or "%" in text:
        return "%" if name == "%" else None
    return text


def _tokens(nodes: Sequence[Any]) -> Iterator[_Token]:
    for node in nodes:
        if node is None:
            continue
        if _is(node, "Chars"):
            yield from node.chars
        elif _is(node, "Comment") or _is(node, "Specials"):
            raise UnreadableFormula
        else:
            yield node


def _is(token: _Token, kind: str) -> bool:
    return type(token).__name__ == f"Latex{kind}Node"


def _char(token: _Token) -> str:
    """The character, or nothing: pylatexenc's nodes cannot be compared with one."""
    return token if isinstance(token, str) else ""


def _is_macro(token: _Token, *names: str) -> bool:
    return _is(token, "Macro") and (not names or token.macroname in names)


def _split(tokens: Sequence[_Token], *, rows: bool) -> list[list[_Token]]:
    """Rows, or the columns of one."""
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if _is_macro(token, "\\", "cr", "newline") if rows else _char(token) == "&":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _show_lines(tokens: Sequence[_Token]) -> str:
    lines = [
        join(_read([" " if _char(token) == "&" else token for token in row]))
        for row in _split(tokens, rows=True)
    ]
    return "\n".join(line for line in lines if line)


def _read(tokens: Sequence[_Token]) -> list[Piece]:
    return _Reader(tokens).read()


class _Reader:
    """Makes pieces of the tokens of one line."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._pieces: list[Piece] = []
        self._gap = False
        self._gap_behind = False  # a blank ended the script before

    def read(self) -> list[Piece]:
        while (token := self._take()) is not None:
            if _char(token) in ("^", "_", "'"):
                self._read_scripts(token)
            elif isinstance(token, str):
                self._read_character(token)
            elif _is(token, "Macro"):
                self._read_macro(token)
            elif _is(token, "Environment"):
                self._add(_read_environment(token))
            else:
                self._add_group(_read(list(_tokens(token.nodelist))))
        return self._pieces

    def _take(self) -> _Token | None:
        if self._at == len(self._tokens):
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _add(self, piece: Piece) -> None:
        self._pieces.append(replace(piece, gap=piece.gap or self._gap))
        self._gap = False

    def _add_group(self, inside: list[Piece]) -> None:
        """One factor if it is raised or has an index; else as if it had no braces."""
        if len(inside) > 1 and _char(self._peek()) in ("^", "_"):
            inside = [make_group(inside)]
        for piece in inside:
            self._add(piece)

    def _read_character(self, character: str) -> None:
        if character.isspace() or character == "~":
            self._gap = True
        elif self._is_factorial(character):
            base = self._pieces.pop()
            self._pieces.append(replace(base, text=f"{base.text}!"))
        elif character.isdecimal():
            self._add(Piece(character + self._take_digits(), PieceKind.NUMBER))
        else:
            self._add(Piece(character, _kind_of(character)))

    def _is_factorial(self, character: str) -> bool:
        return character == "!" and bool(self._pieces) and not self._gap and self._pieces[-1].kind in _FACTORS

    def _take_digits(self) -> str:
        taken = ""
        while (token := self._peek()) is not None and isinstance(token, str):
            following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
            point = token in (".", ",") and isinstance(following, str) and following.isdecimal()
            if not token.isdecimal() and not point:
                break
            taken += token
            self._at += 1
        return taken

    def _read_scripts(self, token: str) -> None:
        """All that stands above and below the last piece."""
        below: str | None = None
        above: str | None = None
        following: _Token | None = token
        while _char(following) in ("^", "_", "'"):
            if _char(following) == "'":
                above = f"′{above or ''}"
            elif _char(following) == "^":
                if above is not None and above.strip("′"):
                    raise UnreadableFormula
                above = (above or "") + self._read_script()
            elif below is not None:
                raise UnreadableFormula
            else:
                below = self._read_script()
            following = self._take()
        if following is not None:
            self._at -= 1
        base = self._pieces.pop() if self._pieces else Piece("", PieceKind.LETTER, gap=self._gap)
        bare = (above or "").lstrip("′")
        if above and (primes := len(above) - len(bare)):
            base = replace(base, text=base.text + ("′", "″", "‴", "⁗")[min(primes, 4) - 1])
        above = bare
        self._pieces.append(attach_scripts(base, below, above))
        self._gap, self._gap_behind = self._gap_behind, False

    def _read_script(self) -> str:
        token = self._take()
        while isinstance(token, str) and token.isspace():
            token = self._take()
        if token is None or _char(token) in ("^", "_", "&"):
            raise UnreadableFormula
        if not isinstance(token, str) and _is(token, "Group"):
            return join(_read(list(_tokens(token.nodelist)))) or " "
        self._gap_behind = self._gap_behind or (_is_macro(token) and bool(token.macro_post_space))
        return join(_read([token]))

    def _read_macro(self, node: Any) -> None:
        name = node.macroname
        arguments = [_argument(found) for found in (node.nodeargd.argnlist or ())] if node.nodeargd else []
        if name in _SILENT or name in ("label", "phantom", "hphantom", "vphantom", "vspace"):
            pass
        elif name in _BLANKS:
            self._gap = True
        elif name in _WIDE:
            self._add(Piece(" ", PieceKind.TEXT))
        elif name == "not":
            self._add(self._negate())
        elif arguments:
            self._read_command(name, arguments)
        elif (sign := _sign(name)) is not None:
            self._add(Piece(sign, _kind_of(sign, name), named=True))
        else:
            self._read_unknown(name)
        self._gap = self._gap or bool(node.macro_post_space)

    def _negate(self) -> Piece:
        token = self._take()
        while isinstance(token, str) and token.isspace():
            token = self._take()
        if token is None:
            raise UnreadableFormula
        text = unicodedata.normalize("NFC", join(_read([token])) + "\u0338")
        return Piece(text, PieceKind.RELATION, named=True)

    def _read_command(self, name: str, arguments: list[list[_Token]]) -> None:
        last = arguments[-1]
        if name in _FRACTIONS:
            self._add(make_fraction(_read(arguments[0]), _read(last)))
        elif name == "sqrt":
            self._add(make_root(_read(last), join(_read(arguments[0]))))
        elif name in ("binom", "dbinom", "tbinom"):
            self._add(Piece(f"({join(_read(arguments[0]))} choose {join(_read(last))})", PieceKind.LETTER))
        elif name in ("overset", "stackrel"):
            self._add(attach_scripts(make_unit(_read(last)), None, join(_read(arguments[0]))))
        elif name == "underset":
            self._add(attach_scripts(make_unit(_read(last)), join(_read(arguments[0])), None))
        elif name == "operatorname":
            self._add(Piece(_literal(last), PieceKind.WORD))
        elif name == "pmod":
            self._add(Piece(f"(mod {join(_read(last))})", PieceKind.TEXT, gap=True))
        elif name == "tag":
            self._add(Piece(f"({_literal(last)})", PieceKind.TEXT, gap=True))
        elif name in _LITERAL and not (name == "mathrm" and {"^", "_"}.intersection(map(_char, last))):
            text = _literal(last)
            self._add(Piece(text, PieceKind.LETTER if len(text) == 1 and text.isalpha() else PieceKind.TEXT))
        elif name in _ALPHABETS:
            self._add(Piece(fmt_math_text_style(_literal(last), _ALPHABETS[name]), PieceKind.LETTER))
        elif name in _ACCENTS:
            self._add(_accent(name, join(_read(last))))
        elif name in _ARROWS:
            self._add(attach_scripts(Piece(_ARROWS[name], PieceKind.RELATION), None, join(_read(last))))
        elif name not in ("color", "hspace"):
            rows = _split(last, rows=True)
            self._add_group(
                _read(last) if len(rows) == 1 else [Piece(", ".join(map(_row, rows)), PieceKind.TEXT)]
            )
        else:
            self._gap = True

    def _read_unknown(self, name: str) -> None:
        """Its letters, and its groups in brackets."""
        given: list[str] = []
        while (token := self._peek()) is not None and not isinstance(token, str) and _is(token, "Group"):
            self._take()
            given.append(join(_read(list(_tokens(token.nodelist)))))
        kind = PieceKind.LETTER if given else PieceKind.WORD
        self._add(Piece(f"{name}({', '.join(given)})" if given else name, kind, gap=bool(self._pieces)))


def make_unit(inside: list[Piece]) -> Piece:
    return inside[0] if len(inside) == 1 else make_group(inside)


def _argument(node: Any) -> list[_Token]:
    if node is None:
        return []
    return list(_tokens(node.nodelist if _is(node, "Group") else [node]))


def _row(tokens: Sequence[_Token]) -> str:
    return join(_read(tokens))


def _kind_of(text: str, name: str = "") -> PieceKind:
    if name in _FUNCTIONS:
        return PieceKind.WORD
    if name in _BIG or text in ("∑", "∏", "∫"):
        return PieceKind.BIG
    if name in _BINARY:
        return PieceKind.BINARY
    if text in _OPENING:
        return PieceKind.OPEN
    if text in _CLOSING:
        return PieceKind.CLOSE
    if text.isalpha() or text in ("∞", "∂", "∅"):
        return PieceKind.LETTER
    sign = len(text) == 1 and text not in _ORDINARY and unicodedata.category(text) in ("Sm", "So")
    return PieceKind.RELATION if sign and (name or text not in "+-=<>|~/*") else PieceKind.OTHER


def _accent(name: str, text: str) -> Piece:
    if len(text) == 1 or (name == "overline" and text.isalnum()):
        return Piece("".join(letter + _ACCENTS[name] for letter in text), PieceKind.LETTER)
    return Piece(f"{name.removeprefix('wide')}({text})", PieceKind.LETTER)


def _literal(tokens: Sequence[_Token]) -> str:
    """Words within a formula, blanks included."""
    shown: list[str] = []
    for token in tokens:
        if isinstance(token, str):
            shown.append(" " if _char(token) == "~" else token)
        elif _is(token, "Group"):
            shown.append(_literal(list(_tokens(token.nodelist))))
        elif _is_macro(token) and token.macroname in _BLANKS:
            shown.append(" ")
        else:
            shown.append(join(_read([token])) + (token.macro_post_space if _is(token, "Macro") else ""))
    return "".join(shown)


def _read_environment(node: Any) -> Piece:
    name = node.environmentname.rstrip("*")
    tokens = list(_tokens(node.nodelist))
    if name in _SEVERAL_LINES:
        return Piece(_show_lines(tokens), PieceKind.TEXT)
    if name not in _MATRICES and name not in _CASES:
        raise UnreadableFormula
    rows = [[_row(cell) for cell in _split(row, rows=False)] for row in _split(tokens, rows=True)]
    shown = "; ".join(", ".join(cell.rstrip(",;") for cell in row) for row in rows if any(row))
    if name in _CASES:
        return Piece(f"{{ {shown} }}", PieceKind.TEXT, gap=True)
    brackets = _MATRICES[name]
    return Piece(f"{brackets[0]}{shown}{brackets[1]}", PieceKind.LETTER)
