"""SECURITY.md is made from the tests it names, and every attack has one."""

from __future__ import annotations

import pytest

from tests.security import ATTACKS, PAGE, TESTS, Attack, named, names_in, page


def test_the_page_is_the_one_that_is_made() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m tests.security"


@pytest.mark.parametrize("number", range(1, len(ATTACKS) + 1))
def test_every_attack_is_tried_or_waits_for_its_feature(number: int) -> None:
    attack: Attack = ATTACKS[number - 1]
    tests = [*named().get(number, []), *attack.also]
    assert bool(tests) is not bool(attack.waits_for)
    for test in tests:
        file, _, name = test.partition("::")
        assert name in names_in(TESTS / file), test


def test_no_test_is_named_for_an_attack_that_is_not_on_the_list() -> None:
    assert set(named()) <= set(range(1, len(ATTACKS) + 1))
    assert len(ATTACKS) == 36
