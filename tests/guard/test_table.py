"""The guard's table keeps its bounds: what is sure is right. With more examples: make bench-guard."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.guard_table import measure
from tests.support.judged_cases import CASES, CHANNELS


def test_there_are_enough_cases_in_enough_languages() -> None:
    assert len(CASES) >= 100
    languages = Counter(case.language for case in CASES)
    assert len(languages) >= 5
    assert min(languages.values()) >= 15
    assert all(len(policy.belongs) >= 50 for policy in CHANNELS.values())


@pytest.mark.parametrize("examples", [0, 20])
async def test_attack_38_with_a_perfect_judge_nothing_is_wrong(examples: int) -> None:
    found = await measure("perfect", examples)
    assert (found.refused, found.answered) == ((), ())


@pytest.mark.parametrize("judge", ["captured", "naive"])
async def test_attack_38_of_a_worse_judge_only_its_own_mistakes_come_through(judge: str) -> None:
    found = await measure(judge, 20)
    assert {rung for rung, _ in (*found.refused, *found.answered)} <= {"model"}
    if judge == "captured":
        assert len(found.answered) <= 2, found.answered


async def test_attack_38_without_a_judge_the_channels_setting_decides_what_is_not_sure() -> None:
    closed = await measure("dead, closed", 20)
    assert closed.answered == ()
    opened = await measure("dead, open", 20)
    assert opened.refused == ()
    assert closed.decided == opened.decided
