"""The limit of a server that tells none, found out from what it refuses."""

from __future__ import annotations

import pytest

from bot.provider.limit_guess import LimitGuess

LIMIT, SIZE = 60_000.0, 3_000.0


def pour(guess: LimitGuess, begins: float, *, per_minute: float, seconds: float = 60.0) -> float:
    """Requests that are taken, evenly; returns when."""
    number = round(per_minute * seconds / 60 / SIZE)
    for n in range(number):
        guess.note_taken(SIZE, begins + n * seconds / number)
    return begins + seconds


def wait_for_more(guess: LimitGuess, begins: float, minutes: float) -> float:
    for step in range(round(minutes * 60)):
        guess.step_up(begins + step)
    return begins + minutes * 60


def test_nothing_is_guessed_before_enough_was_taken() -> None:
    guess = LimitGuess()
    for n in range(4):
        guess.note_taken(SIZE, float(n))
    assert not guess.note_refusal(5.0)
    assert guess.per_minute == 0


def test_less_than_what_was_taken_in_the_minute_before_a_refusal_is_the_first_guess() -> None:
    guess = LimitGuess()
    at = pour(guess, 0.0, per_minute=LIMIT)
    assert guess.note_refusal(at - 0.5)
    assert guess.per_minute == pytest.approx(0.9 * LIMIT)


def test_refusals_that_follow_at_once_change_nothing_more() -> None:
    guess = LimitGuess()
    at = pour(guess, 0.0, per_minute=LIMIT)
    guess.note_refusal(at - 0.5)
    before = guess.per_minute
    assert not any(guess.note_refusal(at + n) for n in range(10))
    assert guess.per_minute == before
    assert guess.in_a_row == 11


def test_it_comes_back_near_what_was_refused_and_stays_there_for_minutes() -> None:
    guess = LimitGuess()
    at = pour(guess, 0.0, per_minute=LIMIT)
    guess.note_refusal(at - 0.5)
    at = wait_for_more(guess, at, 4)
    assert 0.93 * LIMIT < guess.per_minute < 0.97 * LIMIT
    level = guess.per_minute
    at = wait_for_more(guess, at, 1.5)
    assert guess.per_minute == level
    wait_for_more(guess, at, 20)
    assert guess.per_minute > 1.1 * LIMIT, "and then tries more, ever faster"


def test_a_limit_that_fell_is_followed_down() -> None:
    guess = LimitGuess()
    at = pour(guess, 0.0, per_minute=LIMIT)
    guess.note_refusal(at - 0.5)
    at = wait_for_more(guess, at, 4)
    for _ in range(4):
        at = pour(guess, at, per_minute=LIMIT * 0.5)
        guess.note_refusal(at)
    assert guess.per_minute < 0.55 * LIMIT


def test_a_limit_that_is_met_again_is_left_alone_for_longer_and_kept_further_away() -> None:
    guess = LimitGuess()
    at, near = 0.0, list[float]()
    for _ in range(3):
        at = pour(guess, at, per_minute=LIMIT)
        guess.note_refusal(at - 0.5)
        at = wait_for_more(guess, at, 5)
        near.append(guess.per_minute)
    assert near[0] > near[1] > near[2] > 0.85 * LIMIT


def test_nothing_is_tried_while_nobody_waits() -> None:
    guess = LimitGuess()
    at = pour(guess, 0.0, per_minute=LIMIT)
    guess.note_refusal(at - 0.5)
    guess.step_up(at + 36_000)
    assert guess.per_minute < LIMIT
