"""A limit is divided fairly, and never more of it is held than there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.limits.division import Claim, divide, share_out

STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(st.integers(0, 40), STEPS)
def test_whatever_is_wanted_and_used_nobody_holds_what_another_one_holds(
    total: int, steps: list[tuple[int, int, int]]
) -> None:
    claims = [Claim()] * 4
    for who, uses, wants in steps:
        others = [claim for at, claim in enumerate(claims) if at != who]
        mine = Claim(min(uses, claims[who].held), wants, claims[who].held)
        held = divide(total, mine, others, whole=True)
        claims[who] = Claim(mine.used, wants, held)
        assert mine.used <= held
        assert sum(claim.held for claim in claims) <= total


def test_who_wants_little_has_it_and_the_rest_is_for_those_who_want_more() -> None:
    assert share_out(10, [1, 20, 20], [1, 1, 1]) == [1, 4.5, 4.5]


def test_what_nobody_wants_is_there_for_whoever_comes_next() -> None:
    assert share_out(10, [0, 4], [1, 1]) == [3, 7]


def test_each_channel_that_waits_gets_the_same_wherever_it_waits() -> None:
    here = Claim(wants=1, parties=(1, 2, 3))
    there = Claim(wants=1, parties=(3,))  # counts for a half in each
    assert divide(1, here, [there], whole=False) == pytest.approx(2.5 / 3)


def test_what_another_one_still_holds_is_given_only_when_it_gives_it_back() -> None:
    mine = Claim(wants=10)
    assert divide(10, mine, [Claim(held=10)], whole=True) == 0
    assert divide(10, mine, [Claim(held=4)], whole=True) == 6


def test_the_last_pieces_go_to_whoever_asks_first() -> None:
    assert divide(1, Claim(wants=1), [Claim(wants=1)], whole=True) == 1
    assert divide(1, Claim(wants=1), [Claim(wants=1, held=1)], whole=True) == 0
