"""One thing at a time in a lane, so many lanes at once, nothing kept of a quiet one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs.lanes import Lanes


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ran() -> list[str]:
    return []


def lanes_of(ran: list[str], parallel: int = 2, clock: Clock | None = None) -> Lanes:
    return Lanes(parallel, lambda lane, due_at: ran.append(lane), clock=clock or Clock())


def noted_faults() -> list[object]:
    """What breaks inside the loop's own calls, where no test would see it."""
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    return faults


def test_a_lane_woken_while_it_runs_runs_again(ran: list[str]) -> None:
    lanes = lanes_of(ran)
    lanes.wake("a")
    lanes.wake("a")
    lanes.wake("a")
    assert ran == ["a"]
    lanes.leave("a")
    assert ran == ["a", "a"]
    lanes.leave("a")
    assert ran == ["a", "a"]
    assert lanes.empty


def test_lanes_beyond_the_bound_wait_in_line(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=1)
    for lane in "abc":
        lanes.wake(lane)
    assert ran == ["a"]
    assert lanes.crowded
    assert not lanes.try_enter("d")
    lanes.leave("a")
    lanes.leave("b")
    assert ran == ["a", "b", "c"]


def test_who_fills_many_lanes_holds_nobody_else_up(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=1)
    for n in range(5):
        lanes.wake(f"flood {n}", "alice")
    lanes.wake("one question", "bob")
    lanes.wake("another", "carol")
    for n in range(4):
        lanes.leave(ran[n])
    assert ran == ["flood 0", "flood 1", "one question", "another", "flood 2"]


def test_a_lane_enters_at_once_only_when_it_is_quiet_and_there_is_room(ran: list[str]) -> None:
    lanes = lanes_of(ran)
    assert lanes.try_enter("a")
    assert not lanes.try_enter("a")
    assert lanes.try_enter("b")
    assert not lanes.try_enter("c")
    lanes.leave("a")
    assert lanes.try_enter("c")
    assert ran == []


async def test_a_lane_waits_for_its_time_and_can_be_woken_before(ran: list[str]) -> None:
    faults = noted_faults()
    clock = Clock()
    lanes = lanes_of(ran, clock=clock)
    lanes.later("a", clock.now + 0.02)
    lanes.later("b", clock.now + 0.15)
    assert not lanes.try_enter("a")
    await asyncio.sleep(0.1)
    assert ran == ["a"]
    lanes.wake("b")
    assert ran == ["a", "b"]
    await asyncio.sleep(0.1)
    assert (ran, faults) == (["a", "b"], [])
    lanes.close()


async def test_the_clock_on_the_wall_cannot_stretch_a_wait(ran: list[str]) -> None:
    clock = Clock()
    lanes = lanes_of(ran, clock=clock)
    lanes.later("a", clock.now + 0.02)
    clock.now -= 3600
    await asyncio.sleep(0.1)
    assert ran == ["a"]


def test_single_lanes_run_one_after_the_other_beside_the_rest(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=9)
    lanes.one_by_one("abc")
    lanes.wake("x")
    assert ran == ["a", "x"]
    lanes.leave("x")
    assert ran == ["a", "x"]
    lanes.leave("a")
    lanes.leave("b")
    assert ran == ["a", "x", "b", "c"]


async def test_closed_lanes_let_nobody_in(ran: list[str]) -> None:
    faults = noted_faults()
    lanes = lanes_of(ran)
    lanes.later("a", 1000.01)
    lanes.close()
    lanes.wake("b")
    lanes.later("c", 1000.01)
    assert not lanes.try_enter("d")
    await asyncio.sleep(0.05)
    assert (ran, faults) == ([], [])


@given(st.lists(st.tuples(st.sampled_from(["wake", "enter", "leave"]), st.sampled_from("abcd"))))
def test_no_lane_runs_twice_no_bound_is_broken_and_every_wake_is_followed_by_a_run(
    steps: list[tuple[str, str]],
) -> None:
    running: set[str] = set()
    owed: set[str] = set()

    def run(lane: str, due_at: float) -> None:
        assert lane not in running
        running.add(lane)
        owed.discard(lane)

    lanes = Lanes(2, run, clock=Clock())
    for step, lane in steps:
        if step == "wake":
            owed.add(lane)
            lanes.wake(lane)
        elif step == "enter" and lanes.try_enter(lane):
            run(lane, 0.0)
        elif step == "leave" and lane in running:
            running.discard(lane)
            lanes.leave(lane)
        assert len(running) <= 2
    while running:
        lane = running.pop()
        lanes.leave(lane)
    assert not owed
    assert lanes.empty
    assert not (lanes._busy or lanes._woken or lanes._ready)
