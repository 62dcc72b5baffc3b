"""Whole lives of the bot on virtual time, killed and failed at random: no schedule breaks a promise.

A seed that does is printed with the command that tells its story again (tests/simulator/).
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.faults.reliability import note

SEED = os.environ.get("PARLEY_SEED", "0")


def simulate(*arguments: str, **environ: str) -> tuple[int, str]:
    """In a process of its own, because it takes over every clock."""
    command = [sys.executable, "-m", "tests.simulator", *arguments]
    env = {**os.environ, **environ}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def forty_stories() -> str:
    status, said = simulate("--schedules", "40", "--first", SEED, PARLEY_KILLING="0.15")
    assert status == 0, said
    return said


def test_row_07_no_random_schedule_of_kills_and_faults_breaks_a_promise(forty_stories: str) -> None:
    assert "40 schedules" in forty_stories


def test_row_59_what_kills_every_process_is_given_up_and_no_other_question_is(forty_stories: str) -> None:
    assert "killing questions that ended" in forty_stories, "and no story broke a promise"


def test_a_seed_is_the_same_story_every_time() -> None:
    first, again = simulate("--seed", "19"), simulate("--seed", "19")
    assert first == again
    assert "KILLED at" in first[1]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_row_55_ten_thousand_random_schedules_break_no_promise() -> None:
    status, said = simulate("--schedules", "10000", "--first", SEED, "--workers", "2")
    print("\n" + said)
    assert status == 0
    note("Simulated schedules of kills and faults", said.splitlines()[-1])
