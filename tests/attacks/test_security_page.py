"""SECURITY.md is made from the tests it names, and every attack has one."""

from __future__ import annotations

import pytest

from tests.attacks.security import ATTACKS, PAGE, Attack, named, page
from tests.support.named_tests import every_test


def test_the_page_is_the_one_that_is_made() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m tests.attacks.security"


@pytest.mark.parametrize("number", range(1, len(ATTACKS) + 1))
def test_every_attack_is_tried_or_waits_for_its_feature(number: int) -> None:
    attack: Attack = ATTACKS[number - 1]
    tests = [*named().get(number, []), *attack.also]
    assert bool(tests) is not bool(attack.waits_for)
    assert set(tests) <= set(every_test())


def test_no_test_is_named_for_an_attack_that_is_not_on_the_list() -> None:
    assert set(named()) <= set(range(1, len(ATTACKS) + 1))
    assert len(ATTACKS) == 51
