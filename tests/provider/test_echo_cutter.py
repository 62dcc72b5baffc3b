"""The prompt is taken off an answer only where the answer begins with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.provider.echo_cutter import EchoCutter

PROMPT = "You are helpful.\nHuman: Hello\nAI:"


def cut(text: str, step: int, prompt: str = PROMPT) -> str:
    cutter = EchoCutter(prompt)
    shown = "".join(cutter.feed(text[at : at + step]) for at in range(0, len(text), step))
    return shown + cutter.finish()


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{PROMPT} Hi!", " Hi!"),
        (f" {PROMPT} Hi!", " Hi!"),
        (PROMPT, ""),
        ("Hi! How can I help?", "Hi! How can I help?"),
        ("You are right.", "You are right."),
        ("You are", "You are"),
        ("", ""),
        (f"{PROMPT}{PROMPT}", PROMPT),
    ],
)
def test_only_an_answer_that_begins_with_its_prompt_is_cut(text: str, shown: str, step: int) -> None:
    assert cut(text, step) == shown


@given(st.text(max_size=60), st.text(max_size=60), st.integers(min_value=1, max_value=9))
def test_what_follows_an_echo_is_shown_letter_for_letter(prompt: str, answer: str, step: int) -> None:
    if prompt.strip():
        assert cut(prompt + answer, step, prompt) == answer
