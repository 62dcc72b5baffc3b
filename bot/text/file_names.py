"""Names of files as they are shown: what cannot be seen, or would move what stands beside it, is written out.

Whoever shares a file names it. Line breaks, terminal controls and right-to-left marks in a name could pass
for something else ("invoice\\u202efdp.exe"); mentions and links are taken care of where text is shown in
Slack. A name is cleaned once, where it comes in.
"""

from __future__ import annotations

MOST_CHARACTERS = 255  # of a name in any file system
_JOINERS = "\u200c\u200d"  # of scripts and emoji
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a sign that are shown as nothing


def show_name(name: str) -> str:
    """The name in one line, every character of it visible, no longer than names are."""
    return escape_unseen(name[:MOST_CHARACTERS]) + ("…" if len(name) > MOST_CHARACTERS else "")


def escape_unseen(text: str) -> str:
    """A text in one line for a terminal or a message: blanks are blanks, all else unseen is escaped."""
    if text.isprintable() and not any(blank in text for blank in _BLANK):
        return text
    return "".join(_show(text, at) for at in range(len(text)))


def _show(text: str, at: int) -> str:
    character = text[at]
    if character.isprintable() and character not in _BLANK:
        return character
    if character in _JOINERS and _joins(text[at - 1 : at]) and _joins(text[at + 1 : at + 2]):
        return character
    if character.isspace() and character not in "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def _joins(neighbour: str) -> bool:
    return bool(neighbour) and not neighbour.isascii() and neighbour.isprintable()
