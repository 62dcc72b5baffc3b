"""The breaker leaves a failing API alone and probes it."""

from __future__ import annotations

from bot.core.errors import Credentials, Overloaded
from bot.provider.circuit_breaker import FAILURES, PAUSE_S, CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock=clock)
    reports = [breaker.note_failure(Overloaded()) for _ in range(FAILURES)]
    assert reports == [False] * (FAILURES - 1) + [True]
    return breaker


def test_it_opens_only_after_failures_in_a_row() -> None:
    breaker = CircuitBreaker(clock=Clock())
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.note_failure(Overloaded())
        breaker.note_success()
    assert not breaker.is_open
    assert breaker.wait_s() is None


def test_after_a_pause_one_probe_passes_and_its_success_closes() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert breaker.wait_s() == PAUSE_S
    clock.now += PAUSE_S
    assert breaker.wait_s() is None
    assert breaker.wait_s() is not None
    breaker.note_success()
    assert not breaker.is_open
    assert breaker.wait_s() is None


def test_a_failed_probe_doubles_the_pause_and_raises_no_second_alert() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += PAUSE_S
    assert breaker.wait_s() is None
    assert breaker.note_failure(Overloaded()) is False
    assert breaker.wait_s() == 2 * PAUSE_S


def test_a_probe_that_was_given_up_lets_the_next_one_pass() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += PAUSE_S
    assert breaker.wait_s() is None
    breaker.note_unknown()
    assert breaker.wait_s() is None


def test_what_only_an_operator_can_mend_opens_it_at_once() -> None:
    breaker = CircuitBreaker(clock=Clock())
    assert breaker.note_failure(Credentials(), at_once=True) is True
    assert isinstance(breaker.why, Credentials)
