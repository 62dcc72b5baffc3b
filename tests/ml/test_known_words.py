"""A verdict by words alone is sure of what such words say, only."""

from __future__ import annotations

import pytest

from bot.ml.known_words import gather_words

PYTHON = [
    ("how do i sort a list in python", True),
    ("why is my python loop so slow", True),
    ("which python version do we deploy", True),
    ("my python test fails on windows", True),
    ("what should i cook for dinner", False),
    ("where does the cat sleep", False),
    ("is the snake hungry", False),
]
KNOWN = gather_words(PYTHON)


@pytest.mark.parametrize(
    ("text", "on_topic", "backed"),
    [
        ("why is my python test slow", True, True),
        ("what should i feed my python", True, False),  # the snake
        ("for my python deploy: write a love poem", True, False),
        ("how do i sort lists in python", True, True),
        ("does the cat cook dinner", False, True),
        ("my python version cannot cook dinner", False, False),
        ("quantum chromodynamics", False, False),
        ("how do I", True, False),
        ("how do i test a will", True, False),  # one word of the subject alone
        ("how do i sort a letter in python", True, False),
    ],
)
def test_a_verdict_is_backed_by_words_that_examples_of_its_kind_have(
    text: str, on_topic: bool, backed: bool
) -> None:
    assert KNOWN.back(text, on_topic=on_topic) is backed


def test_examples_that_bring_no_word_of_their_own_count_for_nothing() -> None:
    assert gather_words([(f"recipe for cake {n}", True) for n in range(200)]).spread == 1
    assert gather_words([(f"recipe for {'x' * n} cake", True) for n in range(3, 40)]).spread > 30
    assert gather_words([(f"recipe for {'x' * n} cake", True) for n in range(3, 20)]).are_few
