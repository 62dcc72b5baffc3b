"""One thing at a time in a lane, so many lanes at once, nothing kept of a quiet one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs.lanes import ALONE_AFTER, FIRST_AFTER, TOGETHER, Lanes, group_of
from bot.jobs.waiting_lanes import WaitingLane, WaitingLanes

MOST_OUTSIDE = 1


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ran() -> list[str]:
    return []


def lanes_of(ran: list[str], parallel: int = 2, clock: Clock | None = None, outside: int = 4) -> Lanes:
    return Lanes(parallel, lambda lane, due_at: ran.append(lane), clock=clock or Clock(), outside=outside)


def take_up_suspect(lanes: Lanes, lane: str, deaths: int, *, due_at: float = 0.0) -> None:
    lanes.suspect(lane, deaths)
    lanes.later(lane, due_at)


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
    assert lanes.is_wanted("a")
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


@pytest.mark.parametrize(("deaths", "together"), [(2, 32), (3, 8), (ALONE_AFTER, 1), (9, 1)])
async def test_suspects_run_few_at_a_time_the_fewer_the_more_deaths(
    ran: list[str], deaths: int, together: int
) -> None:
    lanes = lanes_of(ran, parallel=100)
    for n in range(40):
        take_up_suspect(lanes, f"{n}", deaths)
    assert len(ran) == together
    lanes.leave("0")
    assert len(ran) == together + 1


async def test_suspects_run_beside_the_rest_and_without_a_place(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=1)
    for lane in "abc":
        take_up_suspect(lanes, lane, 2)
    lanes.wake("x")
    assert ran == ["a", "x"]
    lanes.leave("x")
    lanes.leave("a")
    lanes.leave("b")
    assert ran == ["a", "x", "b", "c"]


async def test_a_suspect_runs_beside_no_more_than_the_worst_of_them_may(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=100)
    for n in range(9):
        take_up_suspect(lanes, f"worse {n}", 3)
    take_up_suspect(lanes, "better", 2)
    assert ran == [f"worse {n}" for n in range(8)]
    lanes.leave("worse 0")
    assert ran[8:] == ["better"]
    lanes.leave("better")
    assert ran[9:] == ["worse 8"]


async def test_of_suspects_the_one_with_the_fewest_deaths_goes_first_and_one_that_was_always_there_before_all(
    ran: list[str],
) -> None:
    lanes = lanes_of(ran, parallel=1)
    deaths = {"worst": ALONE_AFTER, "least": 2, "worse": 3, "always there": FIRST_AFTER}
    for lane, count in deaths.items():
        lanes.suspect(lane, count)
    lanes.take_up((lane, 0.0, "") for lane in [*deaths, "innocent"])
    assert ran == ["always there"]
    lanes.leave("always there")
    assert ran == ["always there", "least", "innocent"]
    for lane in ("innocent", "least", "worse"):
        lanes.leave(lane)
    assert ran[3:] == ["worse", "worst"]


async def test_a_suspect_that_waits_outside_is_still_one_and_still_alone(ran: list[str]) -> None:
    lanes = lanes_of(ran)
    take_up_suspect(lanes, "a", ALONE_AFTER)
    take_up_suspect(lanes, "b", 2)
    with lanes.outside("a"):
        lanes.wake("x")
        assert ran == ["a"]
    lanes.leave("a")
    assert ran == ["a", "b", "x"]


async def test_a_suspect_that_waits_for_its_time_is_not_woken_before(ran: list[str]) -> None:
    lanes = lanes_of(ran)
    take_up_suspect(lanes, "a", 2, due_at=1000.02)
    lanes.wake("a")
    assert ran == []
    await asyncio.sleep(0.1)
    assert ran == ["a"]


async def test_who_died_often_runs_when_nobody_else_does_and_the_others_wait(ran: list[str]) -> None:
    lanes = lanes_of(ran)
    lanes.wake("x")
    take_up_suspect(lanes, "a", ALONE_AFTER)
    lanes.wake("y")
    assert lanes.is_wanted("x")
    assert not lanes.try_enter("z")
    assert ran == ["x"]
    lanes.leave("x")
    assert ran == ["x", "a"]
    lanes.leave("a")
    assert ran == ["x", "a", "y"]
    assert lanes.try_enter("z")


async def test_who_is_to_run_alone_does_not_wait_for_those_that_wait_outside(ran: list[str]) -> None:
    lanes = lanes_of(ran)
    lanes.wake("x")
    lanes.wake("y")
    with lanes.outside("x"):
        take_up_suspect(lanes, "a", ALONE_AFTER)
        assert ran == ["x", "y"]
        lanes.leave("y")
        assert ran == ["x", "y", "a"]


async def test_nobody_waits_for_a_suspect_for_ever_and_no_suspect_for_the_others(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.lanes.ALONE_S", 0.01)
    monkeypatch.setattr("bot.jobs.lanes.QUIET_S", 0.01)
    lanes = lanes_of(ran)
    take_up_suspect(lanes, "a", ALONE_AFTER)
    take_up_suspect(lanes, "b", ALONE_AFTER)
    lanes.wake("x")
    assert ran == ["a"]
    await asyncio.sleep(0.1)
    assert ran == ["a", "x"]
    lanes.leave("a")
    lanes.wake("y")
    assert ran == ["a", "x"]
    await asyncio.sleep(0.1)
    assert ran == ["a", "x", "b", "y"]


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


def ask(lanes: Lanes, clock: Clock, *, channel: str, many: int, age_s: float = 0.0) -> None:
    """So many threads of a channel, each of somebody else, asked so long ago."""
    for n in range(many):
        lanes.wake(f"T:{channel}:{n}", f"T {channel} {n}", since=clock.now - age_s)


def test_a_lane_outside_gives_its_place_away_and_stays_busy(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=1)
    lanes.wake("a")
    lanes.wake("b")
    with lanes.outside("a"):
        assert ran == ["a", "b"]
        lanes.wake("a")
        assert not lanes.try_enter("a")
    assert ran == ["a", "b"]
    lanes.leave("b")
    assert ran == ["a", "b"]
    lanes.leave("a")
    assert ran == ["a", "b", "a"]


def test_a_lane_that_came_back_takes_no_place_again(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=1)
    lanes.wake("a")
    with lanes.outside("a"):
        pass
    lanes.wake("b")
    assert ran == ["a", "b"]
    assert lanes.is_wanted("a")
    lanes.leave("a")
    lanes.wake("c")
    assert ran == ["a", "b"]
    lanes.leave("b")
    assert ran == ["a", "b", "c"]


def test_two_waits_of_one_lane_are_one_lane_outside(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=9, outside=2)
    lanes.wake("T:C:1")
    with lanes.outside("T:C:1"), lanes.outside("T:C:1"):
        lanes.wake("T:C:2")
        assert ran == ["T:C:1", "T:C:2"]


def test_while_some_lanes_of_a_channel_are_outside_no_other_one_of_it_begins(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=1, outside=2)
    with ExitStack() as outside:
        ask(lanes, Clock(), channel="C", many=4)
        outside.enter_context(lanes.outside("T:C:0"))
        with lanes.outside("T:C:1"):
            assert ran == ["T:C:0", "T:C:1"]
            assert not lanes.try_enter("T:C:new")
            assert lanes.try_enter("T:D:new")
            lanes.leave("T:D:new")
        assert ran == ["T:C:0", "T:C:1", "T:C:2"]
        outside.enter_context(lanes.outside("T:C:2"))
        lanes.leave("T:C:0")
        assert ran == ["T:C:0", "T:C:1", "T:C:2", "T:C:3"]


def test_what_waits_outside_for_nothing_of_its_channel_s_holds_up_nobody_in_it(ran: list[str]) -> None:
    lanes = lanes_of(ran, parallel=8, outside=1)
    ask(lanes, Clock(), channel="C", many=20)
    assert len(ran) == 8
    with ExitStack() as outside:
        for n in range(2):
            outside.enter_context(lanes.outside(f"T:C:{n}", crowds=False))
            assert ran[-1] == f"T:C:{8 + n}"
        with lanes.outside("T:C:2", crowds=False):
            assert len(ran) == 10  # so many are enough: it keeps its place
        with lanes.outside("T:C:0"):
            lanes.leave("T:C:3")
            assert len(ran) == 10  # one waits for the channel, too
        assert len(ran) == 11
    lanes.leave("T:C:4")
    assert len(ran) == 12


def test_what_came_just_now_does_not_wait_for_a_backlog_outside(ran: list[str]) -> None:
    clock = Clock()
    lanes = lanes_of(ran, parallel=1, outside=1, clock=clock)
    ask(lanes, clock, channel="C", many=2, age_s=100)
    with lanes.outside("T:C:0"):
        lanes.wake("T:C:now")
        assert ran == ["T:C:0", "T:C:now"]
        lanes.leave("T:C:now")
        assert ran == ["T:C:0", "T:C:now"]


def test_what_came_just_now_goes_first_and_leaves_every_fourth_place_to_a_backlog(ran: list[str]) -> None:
    clock = Clock()
    lanes = lanes_of(ran, parallel=1, clock=clock)
    ask(lanes, clock, channel="old", many=4, age_s=31)
    ask(lanes, clock, channel="new", many=6, age_s=29)
    for n in range(9):
        lanes.leave(ran[n])
    order = ["old", "new", "new", "new", "old", "new", "new", "new", "old", "old"]
    assert [lane.split(":")[1] for lane in ran] == order


def test_what_has_waited_for_long_belongs_to_the_backlog(ran: list[str]) -> None:
    clock = Clock()
    lanes = lanes_of(ran, parallel=1, clock=clock)
    ask(lanes, clock, channel="old", many=3)
    clock.now += 31
    ask(lanes, clock, channel="new", many=2)
    for n in range(4):
        lanes.leave(ran[n])
    assert [lane.split(":")[1] for lane in ran] == ["old", "new", "new", "old", "old"]


def test_many_lanes_that_wait_for_a_time_have_one_timer(ran: list[str]) -> None:
    async def wait() -> None:
        lanes = lanes_of(ran, clock=Clock())
        lanes.take_up((f"{n}", 1000.0 + n / 1000, "") for n in range(1000, 0, -1))
        loop = asyncio.get_running_loop()
        assert len([timer for timer in loop._scheduled if not timer.cancelled()]) == 1  # type: ignore[attr-defined]
        for n in range(1, 5):
            await loop.run_in_executor(None, lambda: None) if len(ran) >= n else await asyncio.sleep(0.01)
        lanes.close()

    asyncio.run(wait())
    assert ran[:2] == ["1", "2"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["wake", "enter", "leave", "go outside", "come back", "pass time"]),
        st.sampled_from(["T:C:a", "T:C:b", "T:C:c", "T:D:a", "T:D:b", "T:E:a"]),
    ),
    max_size=60,
)


@given(STEPS)
def test_no_lane_runs_twice_no_bound_is_broken_and_every_wake_is_followed_by_a_run(
    steps: list[tuple[str, str]],
) -> None:
    running: set[str] = set()
    inside: set[str] = set()
    outside: dict[str, ExitStack] = {}
    owed: set[str] = set()
    clock = Clock()

    def run(lane: str, due_at: float) -> None:
        assert lane not in running
        waiting = Counter(group_of(other) for other in outside)
        assert waiting[group_of(lane)] < 2 * MOST_OUTSIDE  # fresh ones and others
        running.add(lane)
        inside.add(lane)
        owed.discard(lane)
        assert len(inside) <= 2

    def come_back(lane: str) -> None:
        if lane in outside:
            outside.pop(lane).close()

    def leave(lane: str) -> None:
        come_back(lane)
        running.discard(lane)
        inside.discard(lane)
        lanes.leave(lane)

    lanes = Lanes(2, run, clock=clock, outside=MOST_OUTSIDE)
    for step, lane in steps:
        if step == "wake":
            owed.add(lane)
            lanes.wake(lane, f"of {lane[-1]}")
        elif step == "enter" and lanes.try_enter(lane):
            run(lane, 0.0)
        elif step == "leave" and lane in running:
            leave(lane)
        elif step == "go outside" and lane in running and lane not in outside:
            inside.discard(lane)
            outside[lane] = ExitStack()
            outside[lane].enter_context(lanes.outside(lane))
        elif step == "come back":
            come_back(lane)
        elif step == "pass time":
            clock.now += 20
    while running:
        leave(min(running))
    assert not owed
    assert (lanes.empty, lanes._at_work) == (True, 0)
    assert not (lanes._busy or lanes._woken or lanes._fresh or lanes._backlog or lanes._outside)


@given(st.lists(st.integers(2, 6), max_size=12), st.randoms(use_true_random=False))
def test_suspects_keep_to_themselves_and_each_of_them_runs(
    all_deaths: list[int], dice: random.Random
) -> None:
    async def story() -> None:
        running: dict[str, int] = {}
        ran: list[str] = []

        def run(lane: str, due_at: float) -> None:
            running[lane] = deaths.get(lane, 0)
            ran.append(lane)
            suspects = [count for count in running.values() if count]
            assert len(suspects) <= min((TOGETHER.get(count, 1) for count in suspects), default=99)
            assert max(suspects, default=0) < ALONE_AFTER or len(running) == 1

        deaths = {f"suspect {n}": count for n, count in enumerate(all_deaths)}
        lanes = Lanes(3, run, clock=Clock())
        for lane, count in deaths.items():
            take_up_suspect(lanes, lane, count)
        for n in range(4):
            lanes.wake(f"{n}", f"owner {n}")
        while running:
            lane = dice.choice(sorted(running))
            del running[lane]
            lanes.leave(lane)
        assert sorted(ran) == sorted([*deaths, *"0123"])
        assert (lanes.empty, lanes._at_work) == (True, 0)

    asyncio.run(story())


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2)), max_size=60))
def test_owners_take_turns_and_nobody_of_an_open_group_is_passed_over(
    steps: list[tuple[int, int, int]],
) -> None:
    """Against a plain list in which the owners stand in line, looked through from its head."""
    turns, line = WaitingLanes(), list[str]()
    waiting: dict[str, list[WaitingLane]] = {}
    closed: set[str] = set()
    for number, (step, owner, group) in enumerate(steps):
        name, where = f"U{owner}", f"C{group}"
        if step == 0:
            turns.close(where)
            closed.add(where)
        elif step == 1:
            turns.open(where)
            closed.discard(where)
        elif step <= 3:
            turns.put(lane := WaitingLane(f"{number}", name, where, 0.0))
            waiting.setdefault(name, []).append(lane)
            line += [name] if name not in line else []
        else:
            ready = [[one for one in waiting[each] if one.group not in closed] for each in line]
            first = next((lanes for lanes in ready if lanes), None)
            taken = turns.take()
            if first is None:
                assert taken is None
                continue
            assert taken == first[0]
            line.remove(taken.owner)
            waiting[taken.owner].remove(taken)
            line += [taken.owner] if waiting[taken.owner] else []
    assert bool(turns) == bool(line)
