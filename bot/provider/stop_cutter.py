"""Cuts a streamed answer at the first stop; which stops there are is bot/provider/stop_sequences.py's."""

from __future__ import annotations

from functools import lru_cache

from bot.provider.stop_sequences import StopRules
from bot.text.markdown_code import CodeTracker


class StopCutter:
    """Cuts one answer. The text is the same however the answer is chunked.

    The answer begins a line, so a label counts there too; one blank before it changes nothing. Where stops
    overlap, the one that is complete first decides, the longest of those that end together.
    """

    def __init__(self, rules: StopRules) -> None:
        tables = _tables(rules.anywhere, rules.labels)
        self._openings, self._forms, self._firsts, self._lasts, self._beginnings = tables
        self._code = CodeTracker() if rules.spares_code else None
        self._held = "\n"  # the line's start, which is no part of the answer
        self._skip = 1  # characters of it that are not shown
        self.hit = False

    def feed(self, part: str) -> str:
        """The text that is safe to show now; "" for ever once a stop was hit."""
        if self.hit:
            return ""
        if not self._held and self._firsts.isdisjoint(part):  # nearly always
            if self._code is not None:
                self._code.add(part)
            return part
        text, spared = self._held + part, ""
        if not self._lasts.isdisjoint(part):
            while (cut := self._find(text)) is not None:
                if not self._is_spared(text[: cut + 1]):
                    self.hit = True
                    return spared + self._show(text[:cut])
                spared += self._show(text[: cut + 1])
                text = text[cut + 1 :]
        held = 0
        if text.endswith(self._beginnings):
            held = max(len(beginning) for beginning in self._beginnings if text.endswith(beginning))
        shown = text[: len(text) - held]
        self._held = text[len(text) - held :]
        if self._code is not None:
            self._code.add(shown)
        return spared + self._show(shown)

    def finish(self) -> str:
        """What was held back, because the answer ended without completing a stop."""
        return "" if self.hit else self._show(self._held)

    def _show(self, text: str) -> str:
        if not (self._skip and text):
            return text
        self._skip = 0
        return text[1:]

    def _find(self, text: str) -> int | None:
        """Where the stop begins that ends first, if one is complete."""
        found = []
        for form in self._forms:
            start = text.find(form, 0 if form in self._openings else self._skip)
            if start >= 0:
                found.append((start + len(form), start))
        return min(found)[1] if found else None

    def _is_spared(self, text: str) -> bool:
        """Whether the stop behind this text is a line of code."""
        if self._code is None:
            return False
        self._code.add(text)
        return self._code.is_inside()


@lru_cache(maxsize=16)
def _tables(
    anywhere: tuple[str, ...], labels: tuple[str, ...]
) -> tuple[frozenset[str], tuple[str, ...], frozenset[str], frozenset[str], tuple[str, ...]]:
    """The forms that open a line; all forms, their first and last characters, and their proper beginnings."""
    openings = [start + label for label in labels for start in ("\n", "\n ")]
    every = tuple(dict.fromkeys([*anywhere, *openings]))
    beginnings = {form[:length] for form in every for length in range(1, len(form))}
    firsts, lasts = (frozenset(form[at] for form in every) for at in (0, -1))
    return frozenset(openings), every, firsts, lasts, tuple(beginnings)
