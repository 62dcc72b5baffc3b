"""Room under Slack's limits is kept before Slack has to say no; whoever has to wait goes in turn."""

import asyncio
import contextlib
import itertools
import math
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import SlackLimited
from bot.core.waits import waiting_for
from handlers.slack.pacing import (
    APPEND_STREAM,
    POST_SPACING_S,
    ROOM,
    START_STREAM,
    STOP_STREAM,
    WINDOW_S,
    Pacing,
)
from handlers.slack.rates import EASED_EVERY_S, Rate
from tests.support.virtual_time import now, run

STREAMS = int(20 * ROOM)
ON_THE_WAY_S = 0.15  # there and back again


async def go(calls: list[Callable[[], Awaitable[object]]]) -> list[float]:
    """When each of them was through, all begun at once."""

    async def timed(call: Callable[[], Awaitable[object]]) -> float:
        await call()
        return now()

    return list(await asyncio.gather(*(timed(call) for call in calls)))


def most_within(times: list[float], span_s: float) -> int:
    return max(sum(at <= other < at + span_s for other in times) for at in times)


@given(st.lists(st.floats(0, 200), min_size=1, max_size=120), st.integers(1, 20))
def test_no_minute_has_more_requests_than_a_method_takes_and_none_waits_without_need(
    begins: list[float], most: int
) -> None:
    async def story() -> list[float]:
        rate = Rate(most, 60.0, now)

        async def ask(at: float) -> float:
            await asyncio.sleep(at)
            await rate.take()
            return now()

        return sorted(await asyncio.gather(*(ask(at) for at in begins)))

    times = run(story())
    assert most_within(times, 60.0 - 1e-6) <= most
    for n, (begin, at) in enumerate(zip(sorted(begins), times, strict=True)):
        earliest = max(begin, times[n - most] + 60.0 if n >= most else 0.0)
        assert at == pytest.approx(earliest, abs=0.01)


def test_what_can_be_left_out_leaves_the_rest_to_what_cannot() -> None:
    async def story() -> None:
        rate = Rate(3, 60.0, now)
        assert rate.try_take(spare=2)
        assert not rate.try_take(spare=2)
        rate.keep()
        assert rate.try_take()
        assert not rate.try_take()  # the last one is set aside
        rate.release()
        await rate.take(first=True)
        assert now() < 1

    run(story())


def test_the_end_of_what_was_begun_goes_before_all_that_wait() -> None:
    async def story() -> list[str]:
        rate, order = Rate(1, 10.0, now), list[str]()

        async def take(name: str, *, first: bool = False) -> None:
            await rate.take(first=first)
            order.append(name)

        await take("a")
        waiting = [asyncio.create_task(take("b"))]
        await asyncio.sleep(1)
        await asyncio.gather(*waiting, take("end", first=True))
        return order

    assert run(story()) == ["a", "end", "b"]


def test_a_cancelled_wait_leaves_no_trace() -> None:
    async def story() -> None:
        rate = Rate(1, 10.0, now)
        await rate.take()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rate.take(), 3)
        await rate.take()
        assert now() == pytest.approx(10, abs=0.1)

    run(story())


def test_one_refusal_holds_the_method_a_second_one_lowers_its_limit_for_a_while() -> None:
    async def story() -> None:
        rate = Rate(10, 60.0, now)
        for _ in range(5):
            await rate.take()
        rate.refuse(7.0)
        rate.refuse(6.0)  # of what was under way at the same time
        assert rate.free == 0
        await rate.take()
        assert now() == pytest.approx(7, abs=0.1)
        assert rate.free == 4
        rate.refuse(1.0)
        await asyncio.sleep(2)
        assert rate.free == 0  # the last of the six was too many
        await asyncio.sleep(60)
        assert 0 < rate.free < 10
        await asyncio.sleep(5 * EASED_EVERY_S)
        assert rate.free == 10

    run(story())


def test_a_thousand_that_wait_for_a_refused_method_do_not_wake_together() -> None:
    async def story() -> list[float]:
        rate = Rate(50, 60.0, now)
        rate.refuse(30.0)
        return await go([rate.take] * 200)

    times = run(story())
    assert min(times) == pytest.approx(30, abs=0.1)
    assert most_within(times, 59.9) == 50


SLACKS_CLOCK = 1_796_000_000.0


async def post(
    pacing: Pacing, channel: str, *, fresh: bool = True, there_s: float = 0.05, back_s: float = 0.1
) -> float:
    """When Slack got it."""
    async with pacing.posting(channel, fresh=fresh) as posting:
        await asyncio.sleep(there_s)
        arrived = now()
        await asyncio.sleep(back_s)
        posting.message = f"{SLACKS_CLOCK + arrived:.6f}"
    return arrived


@given(st.lists(st.tuples(st.floats(0.05, 0.9), st.floats(0.01, 0.9)), min_size=2, max_size=20))
def test_posts_to_a_channel_reach_slack_a_second_apart_however_long_their_ways_are(
    ways: list[tuple[float, float]],
) -> None:
    async def story() -> list[float]:
        pacing = Pacing(20, now)
        await post(pacing, "C0")  # the fastest way there
        on_their_way = [post(pacing, "C1", there_s=there, back_s=back) for there, back in ways]
        return sorted(await asyncio.gather(*on_their_way))

    gaps = [later - earlier for earlier, later in itertools.pairwise(run(story()))]
    assert min(gaps) >= POST_SPACING_S - 0.001


def test_posts_to_a_channel_lose_no_time_to_their_ways() -> None:
    async def story() -> list[float]:
        pacing = Pacing(20, now)
        return await asyncio.gather(*(post(pacing, "C1") for _ in range(30)))

    gaps = [later - earlier for earlier, later in itertools.pairwise(run(story()))]
    assert max(gaps) < 1.2 * POST_SPACING_S
    assert max(gaps[10:]) < 1.01 * POST_SPACING_S


def test_slow_ways_of_the_first_posts_bring_none_of_the_next_ones_too_early() -> None:
    async def story() -> list[float]:
        pacing = Pacing(20, now)
        ways = [0.2, 0.2, *[0.01] * 18]  # the first ones make their connections
        return await asyncio.gather(*(post(pacing, "C1", there_s=there, back_s=0.01) for there in ways))

    gaps = [later - earlier for earlier, later in itertools.pairwise(run(story()))]
    assert min(gaps) >= POST_SPACING_S - 0.001


def test_after_a_slow_while_no_post_comes_too_early_to_a_channel() -> None:
    async def story() -> list[float]:
        pacing = Pacing(20, now)
        ways = [*[0.01] * 12, *[0.3] * 60, *[0.01] * 5]
        return await asyncio.gather(*(post(pacing, "C1", there_s=there) for there in ways))

    gaps = [later - earlier for earlier, later in itertools.pairwise(run(story()))]
    assert min(gaps) >= POST_SPACING_S - 0.001


def test_what_is_done_before_a_post_leaves_is_no_part_of_its_way() -> None:
    async def story() -> list[float]:
        pacing, arrived = Pacing(20, now), list[float]()
        for before_s in [*[0.3] * 12, *[0.0] * 3]:
            async with pacing.posting("C1") as posting:
                await asyncio.sleep(before_s)
                pacing.leave_now(posting)
                await asyncio.sleep(0.01)
                arrived.append(now())
                posting.message = f"{SLACKS_CLOCK + now():.6f}"
        return arrived

    gaps = [later - earlier for earlier, later in itertools.pairwise(run(story()))]
    assert min(gaps) >= POST_SPACING_S - 0.001


def test_one_refusal_costs_a_channel_what_slack_says_and_a_second_one_makes_it_slower() -> None:
    async def story(refusals: int) -> float:
        pacing = Pacing(20, now)
        for n in range(10):
            with contextlib.suppress(SlackLimited):
                async with pacing.posting("C1"):
                    if n < refusals:
                        raise SlackLimited(retry_after_s=1.0)
        return now()

    assert run(story(0)) == pytest.approx(run(story(1)), abs=0.1)
    assert run(story(2)) > run(story(1)) + 0.5


class Workspace:
    """Takes so many posts within a minute, and says how long to wait with those above that."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.taken: list[float] = []
        self.refused = 0

    async def post(self, pacing: Pacing, channel: str, *, fresh: bool = False) -> float:
        again = False
        while True:
            try:
                async with pacing.posting(channel, fresh=fresh, again=again) as posting:
                    await asyncio.sleep(ON_THE_WAY_S)
                    self.take()
                    posting.message = f"{SLACKS_CLOCK + now():.6f}"
                    return now()
            except SlackLimited:
                again = True

    def take(self) -> None:
        recent = [at for at in self.taken if at > now() - 60]
        if len(recent) >= self.per_minute:
            self.refused += 1
            raise SlackLimited(retry_after_s=math.ceil(recent[-self.per_minute] + 60 - now()))
        self.taken.append(now())


def test_what_a_workspace_takes_in_all_is_found_out_and_then_kept() -> None:
    async def story() -> tuple[Workspace, list[float]]:
        pacing, slack = Pacing(20, now), Workspace(200)
        backlog = asyncio.gather(*(slack.post(pacing, f"C{n % 40}") for n in range(1000)))
        await asyncio.sleep(100)
        waits = []
        for n in range(60):
            asked = now()
            waits.append(await slack.post(pacing, f"C{n % 40}", fresh=True) - asked)
            await asyncio.sleep(2)
        await backlog
        return slack, sorted(waits)

    slack, waits = run(story())
    assert slack.refused < 0.02 * len(slack.taken)  # it has to be found out
    assert max(slack.taken) < len(slack.taken) / 200 * 60 / 0.9
    assert waits[len(waits) // 2] < 1.5


def test_a_way_to_slack_that_was_blocked_for_seconds_is_no_full_workspace() -> None:
    """All that piled up there arrives at once, in each channel more than it takes."""

    async def story() -> tuple[float, int]:
        pacing, taken, refused = Pacing(20, now), dict.fromkeys(map(str, range(40)), -9.0), 0

        async def one(channel: str) -> None:
            nonlocal refused
            again = False
            while True:
                try:
                    async with pacing.posting(channel, fresh=False, again=again) as posting:
                        await asyncio.sleep(max(ON_THE_WAY_S, 12.5 - now() if now() > 10 else 0.0))
                        if now() - taken[channel] < POST_SPACING_S:
                            refused += 1
                            raise SlackLimited(retry_after_s=1.0)
                        taken[channel] = now()
                        posting.message = f"{SLACKS_CLOCK + now():.6f}"
                        return
                except SlackLimited:
                    again = True

        await asyncio.gather(*(one(channel) for channel in taken for _ in range(30)))
        return now(), refused

    took_s, refused = run(story())
    assert refused > 10
    assert took_s < 40


def test_a_few_posts_that_are_refused_in_several_channels_at_once_hold_those_for_as_long_as_slack_says() -> (
    None
):
    async def story() -> float:
        pacing, left = Pacing(20, now), dict.fromkeys("abc", 1)

        async def one(channel: str) -> None:
            again = False
            while True:
                try:
                    async with pacing.posting(channel, again=again):
                        await asyncio.sleep(ON_THE_WAY_S)
                        if left[channel]:
                            left[channel] -= 1
                            raise SlackLimited(retry_after_s=1.0)
                        return
                except SlackLimited:
                    again = True

        await asyncio.gather(*(one(channel) for channel in "abc" * 5))
        return now()

    assert run(story()) < 12


def test_a_fresh_post_goes_before_a_backlog_which_goes_on_all_the_same() -> None:
    async def story() -> tuple[float, float]:
        pacing = Pacing(20, now)
        backlog = asyncio.gather(*(post(pacing, "C1", fresh=False) for _ in range(50)))
        await asyncio.sleep(5.5)
        fresh = await post(pacing, "C1")
        waited_s = fresh - 5.5
        steady = asyncio.gather(*(post(pacing, "C1") for _ in range(100)))
        done = await backlog
        steady.cancel()
        return waited_s, max(done)

    waited_s, last = run(story())
    assert waited_s < 1.5
    assert last < 4.5 * 50


def test_a_refused_post_holds_its_channel_alone_and_is_the_next_one_there() -> None:
    async def story() -> tuple[list[str], float]:
        pacing, order = Pacing(20, now), list[str]()

        async def one(name: str, channel: str, *, again: bool = False) -> float:
            async with pacing.posting(channel, again=again):
                order.append(name)
            return now()

        with contextlib.suppress(SlackLimited):
            async with pacing.posting("C1"):
                raise SlackLimited(retry_after_s=30.0)
        waiting = asyncio.create_task(one("behind", "C1"))
        elsewhere = await one("elsewhere", "C2")
        await one("refused", "C1", again=True)
        await waiting
        return order, elsewhere

    order, elsewhere = run(story())
    assert order == ["elsewhere", "refused", "behind"]
    assert elsewhere < 1


def test_a_post_that_slack_does_not_answer_holds_its_channel_for_two_seconds_at_most() -> None:
    async def story() -> float:
        pacing = Pacing(20, now)

        async def hang() -> None:
            async with pacing.posting("C1"):
                await asyncio.sleep(15)

        hanging = asyncio.create_task(hang())
        await asyncio.sleep(0)
        async with pacing.posting("C1"):
            at = now()
        hanging.cancel()
        return at

    assert run(story()) == pytest.approx(2 * POST_SPACING_S, abs=0.1)


def test_a_wait_is_entered_only_by_who_has_to_wait() -> None:
    async def story() -> list[str]:
        pacing, told = Pacing(20, now), list[str]()

        @contextlib.contextmanager
        def waiting() -> Iterator[None]:
            told.append("waits")
            yield
            told.append("goes")

        for name in ("first", "second"):
            async with pacing.posting("C1", waiting=waiting):
                told.append(name)
        return told

    assert run(story()) == ["first", "waits", "goes", "second"]


def test_a_stream_is_begun_only_with_room_for_its_end_and_runs_low_before_that() -> None:
    async def story() -> None:
        pacing = Pacing(20, now)
        begun = 0
        while not pacing.streams_run_low:
            assert pacing.try_stream()
            begun += 1
        assert 0 < begun < STREAMS
        while pacing.try_stream():
            begun += 1
        assert begun == STREAMS
        assert pacing.rate(STOP_STREAM).free == 0  # all set aside
        for _ in range(begun):
            pacing.rate(STOP_STREAM).release()
            await pacing.rate(STOP_STREAM).take(first=True)
        assert now() < 1
        await asyncio.sleep(WINDOW_S)
        assert not pacing.streams_run_low

    run(story())


def test_without_limits_nothing_waits_unless_slack_itself_refuses() -> None:
    async def story() -> None:
        pacing = Pacing(0, now)
        for _ in range(500):
            assert pacing.try_stream()
            assert pacing.rate(APPEND_STREAM).try_take()
            async with pacing.posting("C1"):
                pass
        assert not pacing.streams_run_low
        assert now() < 1
        pacing.rate(START_STREAM).refuse(5.0)
        assert not pacing.try_stream()
        await asyncio.sleep(5.1)
        assert pacing.try_stream()
        with contextlib.suppress(SlackLimited):
            async with pacing.posting("C1"):
                raise SlackLimited(retry_after_s=5.0)
        began = now()
        async with pacing.posting("C1"):
            assert now() - began == pytest.approx(5, abs=0.1)

    run(story())


def test_answers_that_begin_together_expect_no_more_streams_than_there_are() -> None:
    async def story() -> None:
        pacing = Pacing(20, now)
        expected = sum(pacing.expect_stream() for _ in range(100))
        assert 0 < expected <= STREAMS
        await asyncio.sleep(11)
        assert pacing.expect_stream()
        assert all(Pacing(0, now).expect_stream() for _ in range(100))

    run(story())


def test_a_process_that_has_just_started_leaves_reads_to_the_one_before() -> None:
    async def story() -> None:
        rate = Pacing(20, now).rate("conversations.replies")
        assert 0 < rate.free < 0.6 * 50
        await asyncio.sleep(WINDOW_S)
        assert rate.free == int(50 * ROOM)

    run(story())


def test_who_waits_to_read_gives_its_place_away_and_goes_before_what_was_asked_long_ago() -> None:
    async def story() -> tuple[list[str], list[str]]:
        pacing, told, read = Pacing(20, now), list[str](), list[str]()

        @contextlib.contextmanager
        def aside() -> Iterator[None]:
            told.append("waits")
            yield
            told.append("goes")

        async def look(name: str, asked_at: float) -> None:
            with waiting_for(asked_at, aside):
                await pacing.take("conversations.replies", reading=True)
            read.append(name)

        free = int(pacing.rate("conversations.replies").free)
        for _ in range(free):
            await look("at once", 0.0)
        assert not told
        old = [look(f"old {n}", time.time() - 600) for n in range(3)]
        new = [look(f"new {n}", time.time()) for n in range(4)]
        await asyncio.gather(*old, *new)
        return told, read[free:]

    told, read = run(story())
    assert read == ["new 0", "new 1", "new 2", "old 0", "new 3", "old 1", "old 2"]
    assert told == ["waits"] * 7 + ["goes"] * 7
