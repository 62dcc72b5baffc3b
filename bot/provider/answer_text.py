"""Makes the text of an answer from what a model writes: without reasoning, cut at its end, with words in it.

bot/provider/reasoning.py takes out what is no answer, bot/provider/stop_cutter.py cuts; the two come together
here, in this order, because reasoning may say anything.
"""

from __future__ import annotations

from bot.core.values import Finish
from bot.provider.own_marks import MarkFilter
from bot.provider.reasoning import ReasoningFilter
from bot.provider.stop_cutter import StopCutter
from bot.provider.stop_sequences import LABELS, StopRules
from bot.text.invisible import is_blank

_LABEL = LABELS["assistant"]


class AnswerText:
    """One answer. `hidden_start`: its model is known to think before it closes what nothing opened."""

    def __init__(self, rules: StopRules, *, hidden_start: bool = False) -> None:
        self._rules = rules
        self._reasoning = ReasoningFilter(hidden_start=hidden_start)
        self._cutter = StopCutter(rules)
        self._marks = MarkFilter()
        self._opening: str | None = ""  # what is held because there is no word in it; None after the first
        self._labelled = not rules.drops_label

    def feed(self, text: str) -> str:
        """The text that can be shown now."""
        text = self._reasoning.feed(text)
        if self._reasoning.taken_back:
            self._forget()
        shown = self._marks.feed(self._cutter.feed(text))
        return shown if self._opening is None else self._begin(shown)

    def finish(self, *, cut: bool = False) -> str:
        """The rest; `cut` when the model had not come to its end."""
        text = self._reasoning.finish(cut=cut)
        if self._reasoning.taken_back:
            self._forget()
        shown = self._marks.feed(self._cutter.feed(text) + self._cutter.finish()) + self._marks.finish()
        return shown if self._opening is None else self._begin(shown, last=True)

    @property
    def taken_back(self) -> bool:
        """Whether what was shown before the latest call was reasoning."""
        return self._reasoning.taken_back

    @property
    def ended(self) -> Finish | None:
        """How the answer ended, where its text says so: nothing that follows belongs to it."""
        if self._marks.hit:
            return "stop"
        if self._cutter.hit:
            return "stop" if self._rules.is_end else "cut"
        if self._reasoning.ended == "tools":
            return "tools"
        return "stop" if self._reasoning.ended else None

    @property
    def unclosed(self) -> bool:
        """Whether the model was still thinking when its text ended."""
        return self._reasoning.unclosed

    @property
    def hidden_start(self) -> bool:
        """Whether it began with reasoning that nothing had opened."""
        return self._reasoning.hidden_start

    def _forget(self) -> None:
        """The answer begins anew."""
        self._cutter, self._marks, self._opening = StopCutter(self._rules), MarkFilter(), ""
        self._labelled = not self._rules.drops_label

    def _begin(self, shown: str, *, last: bool = False) -> str:
        """Nothing before the first word; a transcript goes on after its label with a blank."""
        opening = f"{self._opening}{shown}".lstrip()
        if not self._labelled and opening:
            if opening.startswith(_LABEL):
                opening = opening[len(_LABEL) :].lstrip()
            elif _LABEL.startswith(opening) and not last:
                self._opening = opening
                return ""
            self._labelled = True
        if is_blank(opening):
            self._opening = opening
            return ""
        self._opening = None
        return opening
