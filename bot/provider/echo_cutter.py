"""Takes the prompt off an answer whose server was asked to repeat it first (`echo`).

Many servers take the parameter and do not heed it: only an answer that does begin with its prompt is cut.
"""

from __future__ import annotations


class EchoCutter:
    """Cuts one answer. Blanks before the prompt, as some servers write them, change nothing."""

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt.lstrip()
        self._held = ""
        self._decided = not self._prompt

    def feed(self, text: str) -> str:
        """The text that is no part of the prompt, as far as that is known."""
        if self._decided:
            return text
        self._held += text
        begins = self._held.lstrip()
        if self._prompt.startswith(begins) and begins != self._prompt:
            return ""
        self._decided = True
        is_echo = begins.startswith(self._prompt)
        return begins[len(self._prompt) :] if is_echo else self._held

    def finish(self) -> str:
        """What was held back, because the answer ended before it could be the prompt."""
        return "" if self._decided else self._held
