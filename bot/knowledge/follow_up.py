"""A follow-up becomes questions that can be searched with: "and in Berlin?" is read with what it follows."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.values import Message


def make_standalone(messages: Sequence[Message]) -> list[str]:
    """The questions to search with, for the last message of a conversation."""
    questions = [m.text for m in messages if m.role == "human"][-2:]
    return list(dict.fromkeys([*questions[-1:], " ".join(questions)]))
