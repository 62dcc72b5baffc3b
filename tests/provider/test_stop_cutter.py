"""A cutter that is blind to chunk borders: stops anywhere, labels at the start of a line, code left alone."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.provider.stop_cutter import StopCutter
from bot.provider.stop_sequences import StopRules, choose_rules

TRANSCRIPT = choose_rules("transcript", None)
CHAT = choose_rules("chat", None)

PIECES = [
    " Human:",
    "\nHuman:",
    " AI:",
    "\nAI:",
    "Human:",
    "AI:",
    " ",
    "\n",
    "H",
    "Hu",
    " A",
    "I",
    ":",
    "é🎉",
]
ANSWERS = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)
STOP_LISTS = st.lists(
    st.sampled_from([" Human:", " AI:", "abcd", "bc", "b", "cde", "\n", "\n\n", "###", " "]),
    max_size=4,
    unique=True,
).map(tuple)
LABELS = st.sampled_from([(), ("Human:",), ("Human:", "AI:"), ("b",)])


def openings(rules):
    return tuple(start + label for label in rules.labels for start in ("\n", "\n "))


def whole(answer, rules):
    """The reference: where the stop begins that is complete first, the longest of those that end together."""
    text = "\n" + answer
    ends = [
        (end, end - len(form))
        for form in {*rules.anywhere, *openings(rules)}
        for end in range(len(form), len(text) + 1)
        if text[:end].endswith(form) and (end > len(form) or form in openings(rules))
    ]
    return text[1 : max(min(ends)[1], 1)] if ends else answer, bool(ends)


def in_parts(answer, cuts):
    borders = [0, *sorted({min(cut, len(answer)) for cut in cuts}), len(answer)]
    return [answer[a:b] for a, b in pairwise(borders)]


def run(rules, parts):
    cutter = StopCutter(rules)
    return "".join(map(cutter.feed, parts)) + cutter.finish(), cutter.hit


@given(
    ANSWERS | st.text("abcde\n# ", max_size=20), STOP_LISTS, LABELS, st.lists(st.integers(0, 60), max_size=12)
)
def test_every_chunking_gives_the_same_text(answer, stops, labels, cuts):
    rules = StopRules(anywhere=stops, labels=labels)
    assert run(rules, in_parts(answer, cuts)) == whole(answer, rules)


@given(ANSWERS)
def test_letter_by_letter_is_the_same_as_at_once(answer):
    assert run(TRANSCRIPT, answer) == whole(answer, TRANSCRIPT)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["Hello", " Human", ": hi"], "Hello"),
        (["Human: hi"], ""),
        (["AI", ": hi"], ""),
        (["", " Human: hi"], ""),
        (["An AI: no", "t this"], "An"),
        (["OpenAI: a", " company"], "OpenAI: a company"),
        (["line\n", "Human", ":"], "line"),
        (["\nHello"], "\nHello"),
    ],
)
def test_a_continued_transcript_ends_at_its_first_label(parts, text):
    assert run(TRANSCRIPT, parts)[0] == text


@pytest.mark.parametrize("tail", ["\nHuman: and now?", "\n\nHuman: and", "\n Human: and"])
def test_a_message_ends_where_the_other_sides_line_opens(tail):
    assert run(CHAT, "It is noon." + tail)[0].rstrip() == "It is noon."


@pytest.mark.parametrize(
    "answer",
    [
        "Generative AI: a primer",
        "Human resources, Human: a word, SuperHuman: a film",
        "- Human: one\n- AI: two",
        "Compare:\nAI: fast\n> Human: slow",
        "The prompt is\n```\nHuman: {input}\nAI:\n```\nand no more.",
        "1. so:\n   ```text\n   x\nHuman: {input}\n   ```\n",
        "human: small\nHUMAN: large",
    ],
)
def test_a_message_that_speaks_of_labels_is_whole(answer):
    for parts in ([answer], answer):
        assert run(CHAT, parts) == (answer, False)


@pytest.mark.parametrize("answer", ["Code:\n```\nx\n```\nHuman: go on", "A `span\nHuman: go on"])
def test_a_line_behind_code_is_no_code(answer):
    for parts in ([answer], answer):
        assert run(CHAT, parts) == (answer[: answer.index("\nHuman")], True)


def whole_beside_code(answer):
    """The reference for texts whose fences stand alone on their lines."""
    inside = False
    for start, line in enumerate_lines(answer):
        if line == "```":
            inside = not inside
        elif not inside and re.match(" ?Human:", line):
            return answer[: max(start - 1, 0)]
    return answer


def enumerate_lines(answer):
    start = 0
    for line in answer.split("\n"):
        yield start, line
        start += len(line) + 1


@given(
    st.lists(st.sampled_from(["```", "x", "Human:", " Human: y", "", "AI:"]), max_size=10).map("\n".join),
    st.lists(st.integers(0, 80), max_size=12),
)
def test_lines_of_code_are_spared_however_the_answer_is_chunked(answer, cuts):
    assert run(CHAT, in_parts(answer, cuts))[0] == whole_beside_code(answer)


def test_only_what_may_become_a_stop_is_held_back():
    cutter = StopCutter(TRANSCRIPT)
    assert cutter.feed("Hello") == "Hello"
    assert cutter.feed(" Hum") == ""
    assert cutter.feed("ble") == " Humble"
    assert cutter.feed(" pie A") == " pie"
    assert cutter.finish() == " A"


def test_nothing_comes_after_a_stop():
    cutter = StopCutter(TRANSCRIPT)
    assert cutter.feed("yes Human: no") == "yes"
    assert cutter.hit
    assert cutter.feed("more") == cutter.finish() == ""


def test_without_stops_everything_passes():
    cutter = StopCutter(StopRules())
    assert cutter.feed("a Human: b\nHuman:") == "a Human: b\nHuman:"
    assert not cutter.hit


def test_what_is_held_never_grows_with_the_answer():
    for rules in (TRANSCRIPT, CHAT):
        cutter = StopCutter(rules)
        shown = 0
        for fed in range(1, 2000):
            shown += len(cutter.feed(" Huma\nA"))
            assert fed * len(" Huma\nA") - shown < len("\n Human:")
