"""What a server counts against its tokens per minute is found out from what it says is left."""

from __future__ import annotations

import random

import pytest

from bot.provider.counting import Counted, Counting, Size
from bot.provider.output_use import OutputUse

LIMIT = 30_000.0


def learned(
    counts: Counted, asked: str = "", *, seed: int = 1, others: float = 0.0, limit: float = LIMIT
) -> str:
    """The guess after a hundred requests to a server whose bucket fills. `others`: tokens a second that
    somebody else uses of it."""
    chance, counting, left, at = random.Random(seed), Counting(asked), limit, 0.0
    for _ in range(100):
        pause_s = chance.uniform(0.5, 8)
        at += pause_s
        left = min(limit, left + pause_s * (limit / 60 - others))
        size = Size(chance.uniform(200, 4000), chance.choice([800, 2500]), 300)
        used = size.prompt + chance.uniform(50, 700)
        left -= size.prompt if counts == "use" else size.amount(counts)
        sent = counting.note_sent(size, at)
        counting.note_left(sent, max(0.0, left), limit=limit, fills=True)
        counting.note_used(size, used)
        left -= used - size.prompt if counts == "use" else 0
    return counting.counted


@pytest.mark.parametrize("counts", ["sum", "larger", "use"])
@pytest.mark.parametrize("seed", range(5))
def test_what_counts_is_found_out(counts: Counted, seed: int) -> None:
    assert learned(counts, seed=seed) == counts
    assert learned(counts, seed=seed, limit=300_000.0) == counts, "a server that is never short of them"
    assert learned(counts, seed=seed, others=50.0) == counts


@pytest.mark.parametrize("counts", ["sum", "larger", "use"])
def test_an_operator_is_believed(counts: Counted) -> None:
    assert learned(counts, "use") == "use"
    assert learned(counts, "reserve") in ("sum", "larger")


def test_before_anything_is_known_the_most_is_reserved_and_nothing_is_given_back() -> None:
    assert Counting("").counted == "sum"


def test_answers_of_a_kind_are_taken_to_be_as_long_as_nineteen_of_twenty_were() -> None:
    seen = OutputUse()
    for n in range(1, 101):
        assert n > 10 or seen.most("answer", 2500, beside=0) == 2500, "too few to know"
        seen.note("answer", n, channel="C1")
    assert seen.most("answer", 2500, beside=0) == 98, "of the last fifty"
    assert seen.most("answer", 60, beside=0) == 60
    assert seen.most("summary", 2500, beside=0) == 2500
    assert 75 < seen.most("answer", 2500, beside=15) < 85, "together they even out"
