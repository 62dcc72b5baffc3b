"""Marks that Parley puts into prompts, and taking them out of answers: small models imitate what they read.

A mark stands in what people say or before it, never in an answer, and an answer that holds one all the same
loses it. One that begins a block of a prompt ends the answer: what follows was never meant for anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.values import Message
from bot.text.marks import END

SUMMARY = "[Summary of the conversation before this]\n"
CONTEXT = "[Context for the next message]\n"
ABOUT = "\n\n[About this message]\n"
AFTER_CUT = "[The answer before this one was cut off]\n"
LEFT_OUT = "[older messages are left out]"
_ONCE_USED = "[cut off here]"  # in answers, by earlier versions

_HEADS = tuple(mark.strip().lower() for mark in (SUMMARY, CONTEXT, ABOUT))
_LINE_ENDS = tuple(mark.strip().lower() for mark in (AFTER_CUT, LEFT_OUT, _ONCE_USED, END))
_BEFORE_WORDS = tuple(mark.strip().lower() for mark in (AFTER_CUT, LEFT_OUT))
_LONGEST = max(map(len, (*_HEADS, *_LINE_ENDS)))


def tell_cuts(messages: Sequence[Message]) -> list[Message]:
    """The messages as a model reads them: that an answer was cut off stands with what was said next."""
    told, was_cut = list[Message](), False
    for message in messages:
        if message.role == "assistant":
            message = replace(message, text=strip_marks(message.text))
        elif was_cut:
            message = replace(message, text=AFTER_CUT + message.text)
        was_cut = message.role == "assistant" and not message.whole
        told.append(message)
    return told


def strip_marks(text: str) -> str:
    """An answer without marks of ours."""
    if "[" not in text:
        return text
    marks = MarkFilter()
    return marks.feed(text) + marks.finish()


class MarkFilter:
    """Takes the marks out of one answer as it comes. `hit`: the answer ended with the head of a block."""

    def __init__(self) -> None:
        self._held = ""
        self._opens_line = True
        self.hit = False

    def feed(self, text: str) -> str:
        """The text that can be shown now."""
        if self.hit:
            return ""
        if not self._held and "[" not in text:  # nearly always
            return self._show(text)
        return self._sift(self._held + text)

    def finish(self) -> str:
        """What was held back: nothing where that is a mark."""
        held, self._held = self._held, ""
        mark = held.strip().lower()
        if mark in _LINE_ENDS or (mark in _HEADS and self._may_open(held)):
            return ""
        return "" if self.hit else held

    def _sift(self, text: str) -> str:
        shown = ""
        while (at := text.find("[")) >= 0:
            begins = len(text[:at].rstrip(" \t"))
            rest = text[at : at + _LONGEST + 1].lower()
            if _is_undecided(rest):
                self._held = text[begins:]
                return shown + self._show(text[:begins])
            line = rest.partition("\n")[0].rstrip(" \t\r")
            if line in _HEADS and self._may_open(text[:at]):
                self.hit, self._held = True, ""
                return shown + self._show(text[:begins])
            if line in _LINE_ENDS:
                shown += self._show(text[:begins])
                text = text[at + len(line) :]
            elif self._may_open(text[:at]) and (mark := _find_mark_before_words(rest)):
                shown += self._show(text[:begins])
                text = text[at + len(mark) :].lstrip(" \t")
            else:
                shown += self._show(text[: at + 1])
                text = text[at + 1 :]
        self._held = ""
        return shown + self._show(text)

    def _may_open(self, before: str) -> bool:
        """Whether what follows `before` opens a line."""
        line = before.partition("[")[0]
        return line.rstrip(" \t").endswith("\n") or (not line.strip(" \t") and self._opens_line)

    def _show(self, text: str) -> str:
        if text:
            self._opens_line = text.endswith("\n") or (self._opens_line and not text.strip(" \t"))
        return text


def _find_mark_before_words(rest: str) -> str:
    """The mark that words of the same line follow."""
    return next((mark for mark in _BEFORE_WORDS if rest.startswith((f"{mark} ", f"{mark}\t"))), "")


def _is_undecided(rest: str) -> bool:
    """Whether what follows would tell if this is a mark."""
    if "\n" in rest:
        return False
    bare = rest.rstrip(" \t\r")
    return any(mark.startswith(rest) or bare == mark for mark in (*_HEADS, *_LINE_ENDS))
