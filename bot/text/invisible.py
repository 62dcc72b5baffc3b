"""Takes out of a text what nobody sees: tag characters, variation selectors, zero-width and bidi controls.

They smuggle instructions to a model and secrets past a reader, and they split a word that a filter looks
for. What a script or an emoji needs stays: joiners inside Arabic and Indic words, direction marks beside
right-to-left letters, emoji sequences, and the three flags written with tags. Blanks separate what is
judged together: the result for a text is that of its words, one by one.
Source: Unicode 17, Default_Ignorable_Code_Point (DerivedCoreProperties) and RGI_Emoji_Tag_Sequence.
"""

from __future__ import annotations

import re
import unicodedata

# Default ignorable code points, control characters other than line feed and tab, separators, lone surrogates.
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
HIDDEN = re.compile(f"[{_HIDDEN}]")
BRAILLE_BLANK = "\u2800"  # a letter without a dot

_RTL = "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_MARK = "[\u200e\u200f\u061c]"
_JOINING = "[\u0620-\u0dff\u0e00-\u109f\u1780-\u17b3\u17b6-\u17ff\u1820-\u18aa]"  # scripts that write joiners
_EMOJI = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_STYLE = "(?:\ufe0f|\ufe0e|[\U0001f3fb-\U0001f3ff])?"
_FLAGS = "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
)

_KEPT_OR_HIDDEN = re.compile(
    f"(\U0001f3f4(?:{_FLAGS})\U000e007f"
    f"|{_EMOJI}{_STYLE}(?:\u200d{_EMOJI}{_STYLE})*"
    "|[0-9#*]\ufe0f\u20e3"
    f"|(?<={_JOINING})[\u200c\u200d](?![\u200c\u200d])"
    f"|(?<={_RTL}){_MARK}|{_MARK}(?={_RTL}))"
    f"|[{_HIDDEN}]"
)
# What stands for a line or a column keeps words apart.
_BLANKS = dict.fromkeys("\x0b\x0c\x85\u2028\u2029", " ")


def strip_hidden(text: str) -> str:
    """The text without hidden characters; other separators become blanks, a lone surrogate U+FFFD."""
    if HIDDEN.search(text) is None:
        return text
    return _KEPT_OR_HIDDEN.sub(lambda found: found[1] or _instead(found[0]), text)


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: blanks, hidden characters, marks with nothing to stand on."""
    return not any(
        unicodedata.category(character)[0] in "LNPS" and character != BRAILLE_BLANK
        for character in strip_hidden(text)
    )


def _instead(hidden: str) -> str:
    return "\ufffd" if "\ud800" <= hidden <= "\udfff" else _BLANKS.get(hidden, "")
