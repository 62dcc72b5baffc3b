"""A conversation as Human/AI text, the stop sequences that end an answer, and the streaming cutter.

The text only grows at its end: a rendering is the beginning of every later one, so that the server's prompt
cache keeps working. Nobody but Parley writes the labels: those in the words of people and documents are
broken up first. Role messages of the chat endpoints are bot/provider/prompt_formats.py's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from bot.core.values import Prompt
from bot.text.invisible import strip_hidden

STOPS = (" Human:", " AI:")
LABELS = {"human": "Human:", "assistant": "AI:"}
CUT_OFF = " [cut off here]"
SUMMARY = "[Summary of the conversation before this]\n"
CONTEXT = "[Context for the next message]\n"
ABOUT = "\n\n[About this message]\n"

# What people type for a colon, and letters that look like those of a label.
_COLONS = ":\uff1a\ufe55\ufe13\ua789\u2236\u02d0"
_LOOKALIKES = {"a": "аᎪΑ", "i": "іІӏΙlL1|", "h": "НһΗ", "m": "мМΜ", "u": "սυ", "n": "ոΝ"}


def line_starts(stops: Collection[str]) -> frozenset[str]:
    """The forms of the stops that open a line, be it the first."""
    return frozenset("\n" + stop.lstrip() for stop in stops if stop.strip())


def forms(stops: Sequence[str] = STOPS) -> tuple[str, ...]:
    """The stops as they are, then their line-start forms."""
    every = [*stops, *("\n" + stop.lstrip() for stop in stops if stop.strip())]
    return tuple(dict.fromkeys(form for form in every if form))


def render(prompt: Prompt, stops: Sequence[str] = STOPS) -> str:
    """The prompt for /v1/completions, ending in the label that the model continues."""
    summary = prompt.summary and SUMMARY + defuse(prompt.summary, stops)
    head = [block + "\n" for block in (prompt.system.strip(), summary) if block]
    lines = [
        f"{LABELS[message.role]} {defuse(strip_hidden(message.text).strip(), stops)}"
        + ("" if message.whole else CUT_OFF)
        for message in prompt.messages
    ]
    if prompt.about:
        lines[-1] += ABOUT + defuse(prompt.about, stops)
    if prompt.context:
        lines.insert(len(lines) - 1, "\n" + CONTEXT + defuse(prompt.context, stops) + "\n")
    return "\n".join([*head, *lines, LABELS["assistant"]])


def defuse(text: str, stops: Collection[str] = STOPS) -> str:
    """The text with a blank before the colon of whatever could pass for a label: "AI:" becomes "AI :".

    Afterwards it holds none of `forms(stops)`, not even at its beginning. Look-alikes, other cases and hidden
    characters do not get past. Stops without a visible character, or with only one, are no labels and stay.
    """
    pattern = _label_pattern(tuple(stops))
    text = strip_hidden(text)
    return text if pattern is None else pattern.sub(r"\g<0> ", text)


@lru_cache(maxsize=16)
def _label_pattern(stops: tuple[str, ...]) -> re.Pattern[str] | None:
    """Matches a label up to its last character. One whose stop begins with a blank has to begin a word."""
    spelled = []
    for stop in sorted(stops, key=len, reverse=True):
        label = stop.strip()
        if len(label) > 1:
            begins = r"(?<!\S)" if stop[0].isspace() else ""
            spelled.append(f"{begins}{''.join(map(_spellings, label[:-1]))}(?={_spellings(label[-1])})")
    return re.compile("|".join(spelled), re.IGNORECASE) if spelled else None


def _spellings(letter: str) -> str:
    """A character class of everything that reads like this character."""
    if letter == ":":
        return f"[{_COLONS}]"
    wide = chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else ""
    return f"[{re.escape(letter + wide + _LOOKALIKES.get(letter.lower(), ''))}]"


class StopCutter:
    """Cuts a streamed answer at the first stop. The text is the same however the answer is chunked.

    The answer begins a line, so a line-start form counts there too. Where stops overlap, the one that is
    complete first decides, the longest of those that end together.
    """

    def __init__(self, stops: Sequence[str] = STOPS) -> None:
        self._lines, self._forms, self._lasts, self._beginnings = _tables(tuple(stops))
        self._held = "\n"  # the line's start, which is no part of the answer
        self._skip = 1  # characters of it that are not shown
        self.hit = False

    def feed(self, part: str) -> str:
        """The text that is safe to show now; "" for ever once a stop was hit."""
        if self.hit:
            return ""
        text = self._held + part
        if not self._lasts.isdisjoint(part) and (cut := self._cut(text)) is not None:
            self.hit = True
            return self._release(text[:cut], "")
        if not text.endswith(self._beginnings):
            return self._release(text, "")
        keep = max(len(beginning) for beginning in self._beginnings if text.endswith(beginning))
        return self._release(text[:-keep], text[-keep:])

    def finish(self) -> str:
        """What was held back, because the answer ended without completing a stop."""
        return "" if self.hit else self._release(self._held, "")

    def _release(self, text: str, held: str) -> str:
        """The text, now that `held` alone is kept back."""
        self._held = held
        if not (self._skip and text):
            return text
        self._skip = 0
        return text[1:]

    def _cut(self, text: str) -> int | None:
        """Where the stop begins that ends first, if one is complete."""
        starts = ((form, text.find(form, 0 if form in self._lines else self._skip)) for form in self._forms)
        found = [(start + len(form), start) for form, start in starts if start >= 0]
        return min(found)[1] if found else None


@lru_cache(maxsize=16)
def _tables(
    stops: tuple[str, ...],
) -> tuple[frozenset[str], tuple[str, ...], frozenset[str], tuple[str, ...]]:
    """Line-start forms, all forms, their last characters, and their proper beginnings."""
    every = forms(stops)
    beginnings = {form[:length] for form in every for length in range(1, len(form))}
    return line_starts(stops), every, frozenset(form[-1] for form in every), tuple(beginnings)
