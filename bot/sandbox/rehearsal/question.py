"""A request for text and its answer, in one shape for all three text endpoints.

The endpoints differ in their bytes (model/frames.py) and in what they allow (model/rules.py); a rehearsal
answer or a scripted one needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.rehearsal.seeing import ReceivedPicture


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One request for text. `turns` are (role, text) in order; a bare prompt is one turn of role "prompt"."""

    endpoint: str  # "completions", "chat/completions" or "responses"
    model: str
    turns: tuple[tuple[str, str], ...]
    body: dict[str, Any] = field(repr=False)
    choice: int = 0  # which of the n candidates; candidates differ in their words
    pictures: tuple[ReceivedPicture, ...] = ()

    @property
    def prompt(self) -> str:
        """All that the model reads, as one text: what tokens are counted in and prefixes compared on."""
        return "".join(f"<{role}>{text}\n" if role != "prompt" else text for role, text in self.turns)

    @property
    def last(self) -> str:
        """What was said last, without what is told about it; or the whole prompt of a completion."""
        return self.turns[-1][1].partition("\n\n[About this message]\n")[0] if self.turns else ""


@dataclass(frozen=True, slots=True)
class RehearsedAnswer:
    """What the model says. `chunks`, when given, is exactly how it is cut on the wire.

    `first_token_s` and `tokens_per_s` override the server's pace; 0 tokens per second means all at once.
    `body`: the bytes of the response, piece by piece, instead of anything else: what other servers send.
    """

    text: str
    finish: str = "stop"
    chunks: tuple[str, ...] = ()
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    usage: dict[str, int] | None = None  # replaces what was counted
    refusal: bool = False
    body: tuple[bytes, ...] = ()
    unsaid: str = ""  # where a stop sequence cut it: what the model would have gone on to say


def read_text_request(
    endpoint: str, body: dict[str, Any], pictures: tuple[ReceivedPicture, ...] = ()
) -> TextRequest:
    """The request body of a text endpoint as a `TextRequest`; the body has passed the rules already."""
    if endpoint == "completions":
        turns: list[tuple[str, str]] = [("prompt", _prompt_text(body.get("prompt")))]
    elif endpoint == "chat/completions":
        turns = [(m["role"], read_content(m.get("content"))) for m in body["messages"]]
    else:
        turns = _response_turns(body)
    return TextRequest(endpoint, body["model"], tuple(turns), body, pictures=pictures)


def read_content(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    return "\n".join(part["text"] for part in content if isinstance(part, dict) and part.get("text"))


def _prompt_text(prompt: Any) -> str:
    """A completion prompt as text; token ids have no words here and are shown as numbers."""
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list):
        return " ".join(str(part) for part in prompt)
    return "<|endoftext|>"


def _response_turns(body: dict[str, Any]) -> list[tuple[str, str]]:
    turns = [("system", body["instructions"])] if body.get("instructions") else []
    given = body["input"]
    if isinstance(given, str):
        return [*turns, ("user", given)]
    return turns + [(item.get("role", "user"), read_content(item.get("content"))) for item in given]
