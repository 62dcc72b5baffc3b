"""A formula as a line of text that means the same: its brackets, blanks, raised and lowered letters.

A formula is a row of pieces; a fraction or a root shows its brackets only where its neighbours make them
necessary. The signs themselves and LaTeX are handlers/reply/formulas.py's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto


class PieceKind(Enum):
    """What a piece is to its neighbours."""

    LETTER = auto()  # a variable, or anything else that is one factor
    NUMBER = auto()
    FRACTION = auto()
    ROOT = auto()
    WORD = auto()  # a function's name
    BIG = auto()  # a sum, an integral
    RELATION = auto()
    BINARY = auto()
    OPEN = auto()
    CLOSE = auto()
    TEXT = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """`gap`: a blank stood before it. `inner`: what a root is of. `named`: written as a command."""

    text: str
    kind: PieceKind
    gap: bool = False
    inner: str = ""
    named: bool = False


Pieces = Sequence[Piece]

_PLAIN = "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW"
_RAISED = dict(zip(_PLAIN, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ", strict=True))
_LOWERED = dict(
    zip("0123456789+-=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True)
)
_SIGNS = frozenset((*_RAISED.values(), *_LOWERED.values()))
_LONG = re.compile(r"[^\W\d_]{3}")  # a word is easier to read when it is neither raised nor lowered
_AROUND_SIGN = re.compile(r"(?<=\W) | (?=\W)")
_UNRAISED_END = re.compile(r"[_^]\w+\Z")

_OPERATORS = frozenset("=<>+-/*,;:")
_ENDS = {PieceKind.LETTER, PieceKind.NUMBER, PieceKind.CLOSE, PieceKind.FRACTION, PieceKind.ROOT}
_BEGINS = {
    PieceKind.LETTER,
    PieceKind.NUMBER,
    PieceKind.OPEN,
    PieceKind.FRACTION,
    PieceKind.ROOT,
    PieceKind.WORD,
    PieceKind.BIG,
}
_VALUES = {PieceKind.LETTER, PieceKind.NUMBER}


def join(pieces: Pieces) -> str:
    """The formula as text."""
    shown: list[str] = []
    before: Piece | None = None
    apart = False  # what follows a sign stands as far from it as what is before it
    for piece, after in zip(pieces, [*pieces[1:], None], strict=False):
        text = _show(piece, before, after)
        if before is not None and _needs_blank(piece, before, apart=apart):
            shown.append(" ")
        shown.append(text)
        apart = piece.gap and before is not None and _is_operand(before)
        before = piece
    return re.sub("[ \t]+", " ", "".join(shown)).strip(" ")


def make_fraction(above: Pieces, below: Pieces) -> Piece:
    over = join(above) if _is_product(above) else f"({join(above)})"
    under = join(below) if _is_factor(below) else f"({join(below)})"
    return Piece(f"{over}/{under}", PieceKind.FRACTION)


def make_root(inside: Pieces, degree: str = "") -> Piece:
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree) or _raise(degree).removeprefix("^") + "√"
    inner = join(inside)
    simple = len(inside) == 1 and (inside[0].kind is PieceKind.NUMBER or len(inner) == 1)
    return Piece(sign + (inner if simple else f"({inner})"), PieceKind.ROOT, inner=inner if simple else "")


def make_group(inside: Pieces) -> Piece:
    """One factor."""
    text = join(inside)
    return Piece(text if len(inside) == 1 and inside[0].kind in _VALUES else f"({text})", PieceKind.LETTER)


def attach_scripts(base: Piece, below: str | None, above: str | None) -> Piece:
    """A piece with what is written below and above its end."""
    if base.kind in (PieceKind.FRACTION, PieceKind.ROOT):
        base = replace(base, text=f"({base.text})", kind=PieceKind.LETTER, inner="")
    text = base.text
    if below:
        lowered = _lower(below, behind_letter=text[-1:].isalnum() and text[-1:] not in _SIGNS)
        text += lowered
        if above and lowered.startswith("_"):
            text = f"({text})"
    kind = PieceKind.LETTER if base.kind in (PieceKind.NUMBER, PieceKind.TEXT) else base.kind
    return replace(base, text=text + (_raise(above) if above else ""), kind=kind)


def _show(piece: Piece, before: Piece | None, after: Piece | None) -> str:
    follows = before is not None and (before.kind in _ENDS or before.kind is PieceKind.WORD)
    goes_on = after is not None and after.kind in _BEGINS
    if piece.kind is PieceKind.FRACTION:
        alone = not (follows or goes_on or (before is not None and before.text in ("/", "÷")))
        return piece.text if alone else f"({piece.text})"
    if piece.kind is PieceKind.ROOT:
        closed = piece.inner and goes_on
        text = f"{piece.text.removesuffix(piece.inner)}({piece.inner})" if closed else piece.text
        return "·" + text if follows and text[0] in _SIGNS else text
    return piece.text


def _needs_blank(piece: Piece, before: Piece, *, apart: bool) -> bool:
    kind = piece.kind
    if before.kind is PieceKind.OPEN or kind is PieceKind.CLOSE or piece.text in (",", ";"):
        return False
    if PieceKind.RELATION in (kind, before.kind):
        return True
    if before.kind is PieceKind.BINARY:
        return apart
    if before.kind is PieceKind.BIG or PieceKind.TEXT in (kind, before.kind):
        return (
            piece.gap
            or before.kind is PieceKind.BIG
            or (before.text[-1:].isalnum() and piece.text[:1].isalnum())
        )
    if PieceKind.WORD in (kind, before.kind) or kind is PieceKind.BIG:
        return piece.gap or (
            before.kind in _ENDS | {PieceKind.WORD} and kind in _BEGINS - {PieceKind.OPEN, PieceKind.FRACTION}
        )
    if before.text[-1:] not in ("", ")") and _UNRAISED_END.search(before.text):
        return piece.gap or kind in _VALUES or (kind is PieceKind.OPEN and "^" in before.text)
    if before.kind in _VALUES and kind in _VALUES and (before.named or piece.named):
        return False
    return piece.gap


def _is_operand(piece: Piece) -> bool:
    return (
        piece.kind not in (PieceKind.RELATION, PieceKind.BINARY, PieceKind.OPEN)
        and piece.text not in _OPERATORS
    )


def _is_product(pieces: Pieces) -> bool:
    """Whether it can be divided without brackets around it."""
    if _is_factor(pieces):
        return True
    depth = 0
    for piece in pieces:
        depth -= piece.kind is PieceKind.CLOSE
        if depth == 0 and piece.kind not in _VALUES | {PieceKind.OPEN, PieceKind.CLOSE}:
            return False
        depth += piece.kind is PieceKind.OPEN
    return depth == 0


def _is_factor(pieces: Pieces) -> bool:
    """Whether one can divide by it without brackets around it."""
    match pieces:
        case [Piece(kind=PieceKind.LETTER | PieceKind.NUMBER | PieceKind.ROOT)]:
            return True
        case [Piece(kind=PieceKind.TEXT, text=text)]:
            return " " not in text and "\n" not in text
        case [Piece(text=text, kind=PieceKind.LETTER), Piece(kind=PieceKind.LETTER)]:
            return text in ("d", "∂")
        case [Piece(text="("), *inside, Piece(text=")")]:
            return not any(piece.kind in (PieceKind.OPEN, PieceKind.CLOSE) for piece in inside)
    return False


def _raise(text: str) -> str:
    compact = _AROUND_SIGN.sub("", text)
    if compact == "∘":
        return "°"
    if not compact.strip("′"):
        return compact
    if all(letter in _RAISED for letter in compact) and not _LONG.search(compact):
        return "".join(_RAISED[letter] for letter in compact)
    return f"^{compact}" if len(compact) == 1 or compact.isdecimal() else f"^({compact})"


def _lower(text: str, *, behind_letter: bool) -> str:
    compact = _AROUND_SIGN.sub("", text)
    if all(letter in _LOWERED for letter in compact) and not _LONG.search(compact):
        return "".join(_LOWERED[letter] for letter in compact)
    # Between letters alone an underscore never means anything to Markdown.
    if behind_letter and compact.isalnum() and not _SIGNS.intersection(compact):
        return f"_{compact}"
    return f"₍{compact}₎"
