"""RELIABILITY.md is made from the tests it names; every fault has one that passed when it was made."""

from __future__ import annotations

import pytest

from tests.faults.reliability import FAULTS, PAGE, asserts_promises, is_slow, page, results, rows
from tests.support.named_tests import every_test

ROWS = list(rows())


def test_the_page_is_the_one_that_is_made() -> None:
    assert PAGE.read_text("utf-8") == page(), "run make reliability"


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1))
def test_every_fault_is_injected_by_tests_that_passed_or_waits_for_its_feature(number: int) -> None:
    _, fault, tests = ROWS[number - 1]
    assert bool(tests) is not bool(fault.waits_for)
    ended = results()["tests"]
    for test in tests:
        assert test in every_test()
        assert is_slow(test) or ended.get(test) == "passed", f"{test}: run make reliability"


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1))
def test_after_every_fault_the_promises_are_asserted(number: int) -> None:
    _, fault, tests = ROWS[number - 1]
    assert fault.waits_for or any(map(asserts_promises, tests)), f"no test of row {number} ends in kept()"


def test_a_test_that_only_looks_at_something_else_is_no_proof_of_the_promises() -> None:
    assert asserts_promises("test_row_17_a_private_answer_says_as_well_that_it_was_cut")
    assert asserts_promises("test_random_kills_lose_nothing_and_double_nothing")
    assert not asserts_promises("test_a_damaged_file_is_not_written_to")


def test_the_table_has_every_fault() -> None:
    assert len(FAULTS) == 67
