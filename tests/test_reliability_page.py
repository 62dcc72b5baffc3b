"""RELIABILITY.md is made from the tests it names; every fault has one that passed when it was made."""

from __future__ import annotations

import pytest

from tests.reliability import FAULTS, PAGE, is_slow, page, results, rows
from tests.security import TESTS, names_in


def test_the_page_is_the_one_that_is_made() -> None:
    assert PAGE.read_text("utf-8") == page(), "run make reliability"


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1))
def test_every_fault_is_injected_by_tests_that_passed_or_waits_for_its_feature(number: int) -> None:
    _, fault, tests = list(rows())[number - 1]
    assert bool(tests) is not bool(fault.waits_for)
    ended = results()["tests"]
    for test in tests:
        file, _, name = test.partition("::")
        assert name in names_in(TESTS / file), test
        assert is_slow(test) or ended.get(test) == "passed", f"{test}: run make reliability"


def test_the_table_has_every_fault() -> None:
    assert len(FAULTS) == 55
