"""The line that says who said a note, which nobody else can write: what imitates it stands in quotation
marks.

Titles, headings and names of files are other people's words. A model and a person read them beside the line
"note by Alice, 12 May 2026", which is ours.
"""

from __future__ import annotations

import re
import unicodedata

from bot.text.invisible import strip_hidden

_IMITATES = re.compile(r"\bnotes?\W*by\b")
_MARKS = dict.fromkeys(map(ord, '“”„«»"'), "'")


def quote_imitation(words: str) -> str:
    """Somebody's words as they are; in quotation marks where they look like the line of a note."""
    plain = unicodedata.normalize("NFKC", strip_hidden(words)).casefold()
    return f"“{words.translate(_MARKS)}”" if _IMITATES.search(plain) else words


def write_note_origin(said: str, title: str) -> str:
    """By whom and when a note was said, and what about."""
    return f"{said}, “{' '.join(title.split()).translate(_MARKS)}”"
