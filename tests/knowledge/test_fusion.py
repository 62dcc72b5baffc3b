"""Two orders become one: what both have is before what one has, and the first of one is not lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.fusion import fuse

ORDERS = st.lists(st.integers(0, 30), unique=True, max_size=20)


def test_what_both_find_first_is_first() -> None:
    fused = fuse([1, 2, 3], [2, 1, 4], coverage=dict.fromkeys(range(5), 1.0))
    assert [chunk for chunk, _ in fused] == [1, 2, 3, 4]


def test_the_nearest_in_meaning_is_before_what_has_one_word_of_five() -> None:
    by_words = [10, 11, 12]
    fused = fuse(by_words, [1, 2, 3, 4, 5, 6, *by_words], coverage=dict.fromkeys(by_words, 0.2))
    assert [chunk for chunk, _ in fused][:3] == [1, 2, 3]


@given(ORDERS, ORDERS)
def test_everything_found_is_there_once_and_the_better_in_both_is_the_better(
    words: list[int], meaning: list[int]
) -> None:
    fused = [chunk for chunk, _ in fuse(words, meaning, coverage=dict.fromkeys(range(31), 1.0))]
    assert sorted(fused) == sorted({*words, *meaning})
    both = [chunk for chunk in words if chunk in meaning]
    for one, two in pairwise(both):
        if meaning.index(one) < meaning.index(two):
            assert fused.index(one) < fused.index(two)
