"""From what a model writes to what is shown: reasoning out first, then the stops, never blanks alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.provider.answer_text import AnswerText
from bot.provider.stop_sequences import choose_rules

CHAT = choose_rules("chat", None)
TRANSCRIPT = choose_rules("transcript", None)


def run(rules, parts, **how):
    """What was shown in the end, and how the text says that it ended."""
    answer = AnswerText(rules, **how)
    shown = []

    def take(text):
        if answer.taken_back:
            shown.clear()
        shown.append(text)

    for part in parts:
        take(answer.feed(part))
        if answer.ended:
            break
    take(answer.finish())
    return "".join(shown), answer.ended


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AI: Hello", "Hello"),
        ("AI:Hello", "Hello"),
        ("\n AI: \nHello", "Hello"),
        ("AI: AI: Hello", "AI: Hello"),
        ("<think>The user\nHuman: hi</think>AI: Hello", "Hello"),
        ("The user\nAI: hm\n</think>\n\nAI: Hello", "Hello"),
        ("AIR is thin", "AIR is thin"),
        ("A", "A"),
        ("AI", "AI"),
        ("An AI: yes", "An AI: yes"),
        ("AI:", ""),
    ],
)
def test_a_message_that_begins_with_our_label_goes_on_behind_it(text, shown):
    assert run(CHAT, [text])[0] == run(CHAT, text)[0] == shown


def test_a_transcript_goes_on_after_its_label_with_a_blank():
    assert run(TRANSCRIPT, [" Hello"]) == run(TRANSCRIPT, " Hello") == ("Hello", None)


def test_reasoning_may_hold_any_stop():
    text = "<think>He says\nHuman: x\nAI: y END</think>Yes.\nHuman: no"
    assert run(TRANSCRIPT, text) == ("Yes.", "stop")
    assert run(CHAT, text) == ("Yes.", "cut")
    assert run(choose_rules("chat", ("END",)), text) == ("Yes.\nHuman: no", None)


def test_stops_are_looked_for_anew_when_reasoning_is_taken_back():
    assert run(CHAT, ["Secret.\nHu", "m</think>Yes", ".\nHuman: x"]) == ("Yes.", "cut")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n",
        "\u200b",
        "\u2060 \ufeff",
        "\u2800",
        "\u3164",
        "\U000e0041",
        "\u0301",
        "<think>x</think>\n",
    ],
)
def test_what_nobody_can_see_is_no_answer(text):
    assert run(CHAT, [text])[0] == run(CHAT, text)[0] == ""


@pytest.mark.parametrize("text", ["!", "👍", "界", "\u200b1", "\u05d0", "…", "€"])
def test_one_sign_is_an_answer(text):
    assert run(CHAT, [text])[0] == run(CHAT, text)[0] == text


# Without reasoning that nothing opened: where it is not known of, a stop in it comes before it is found out.
REASONING = ["<think>", "<think>a\nHuman: b</think>"]
PIECES = ["AI:", "AI", " ", "\n", "Human:", "\nHuman:", " AI:", *REASONING, "</s>", "```", "\u200b", "a."]


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
    st.lists(st.integers(0, 60), max_size=10),
    st.sampled_from([CHAT, TRANSCRIPT, choose_rules("chat", (" AI:", "a"))]),
    st.booleans(),
)
def test_every_chunking_gives_the_same_answer(text, cuts, rules, hidden_start):
    borders = [0, *sorted({min(at, len(text)) for at in cuts}), len(text)]
    parts = [text[a:b] for a, b in pairwise(borders)]
    assert run(rules, parts, hidden_start=hidden_start) == run(rules, [text], hidden_start=hidden_start)
