"""Fair shares between channels, timed by a clock that the test moves."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.provider.fair_share import Scheduler, Share, parse_duration


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Crowd:
    """Requests by channel, and the order in which they were let through."""

    def __init__(self, tokens_per_minute: float = 600, requests_per_minute: float = 0) -> None:
        self.clock = Clock()
        self.scheduler = Scheduler(
            tokens_per_minute=tokens_per_minute, requests_per_minute=requests_per_minute, clock=self.clock
        )
        self.order: list[str] = []
        self.shares: list[Share] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, channel: str, tokens: float) -> asyncio.Task[None]:
        async def one() -> None:
            self.shares.append(await self.scheduler.acquire(channel, tokens))
            self.order.append(channel)

        task = asyncio.create_task(one())
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def after(self, seconds: float) -> list[str]:
        """Who was let through in these seconds."""
        before = len(self.order)
        end = self.clock.now + seconds
        while (wait := self.scheduler.pump()) and self.clock.now + wait <= end:
            self.clock.now += wait
        self.clock.now = end
        self.scheduler.pump()
        await settle()
        return self.order[before:]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_without_limits_nobody_waits() -> None:
    scheduler = Scheduler()
    for _ in range(1000):
        (await scheduler.acquire("C1", 1e9)).settle(5)
    assert scheduler.waiting() == 0


async def test_channels_take_turns_however_much_one_of_them_asks() -> None:
    crowd = Crowd(600)
    await crowd.ask("busy", 600)
    for _ in range(5):
        await crowd.ask("busy", 100)
    await crowd.ask("calm", 100)
    assert await crowd.after(21) == ["busy", "calm"]
    await crowd.close()


async def test_a_large_request_is_not_starved_by_small_ones() -> None:
    crowd = Crowd(600)
    await crowd.ask("C1", 600)
    await crowd.ask("big", 500)
    for _ in range(40):
        await crowd.ask("small", 10)
    assert (await crowd.after(51))[0] == "big"
    await crowd.close()


async def test_more_than_a_bucket_waits_for_a_full_one_and_owes_the_rest() -> None:
    crowd = Crowd(600)
    await crowd.ask("C1", 100)
    await crowd.ask("C2", 1200)
    await crowd.ask("C3", 10)
    assert await crowd.after(9) == []
    assert await crowd.after(2) == ["C2"]
    assert await crowd.after(50) == []
    assert await crowd.after(15) == ["C3"]


async def test_what_was_not_used_is_given_back() -> None:
    crowd = Crowd(600)
    await crowd.ask("C1", 600)
    await crowd.ask("C2", 300)
    assert await crowd.after(0) == []
    crowd.shares[0].settle(used_tokens=200)
    await settle()
    assert crowd.order == ["C1", "C2"]


async def test_what_was_used_beyond_the_reservation_is_taken() -> None:
    crowd = Crowd(600)
    await crowd.ask("C1", 100)
    crowd.shares[0].settle(used_tokens=600)
    await crowd.ask("C2", 100)
    assert await crowd.after(9) == []
    assert await crowd.after(2) == ["C2"]


async def test_requests_per_minute_are_kept_too() -> None:
    crowd = Crowd(0, requests_per_minute=2)
    for _ in range(3):
        await crowd.ask("C1", 1e6)
    assert await crowd.after(29) == []
    assert await crowd.after(2) == ["C1"]


async def test_a_freeze_holds_everybody_also_without_limits() -> None:
    crowd = Crowd(0)
    crowd.scheduler.freeze(10)
    await crowd.ask("C1", 1)
    await crowd.ask("C2", 1)
    assert await crowd.after(9.9) == []
    assert await crowd.after(0.2) == ["C1", "C2"]


async def test_the_api_is_believed_when_it_says_that_less_is_left() -> None:
    crowd = Crowd(600)
    for junk in ("-1", "", "many", "900"):
        crowd.scheduler.apply_headers({"x-ratelimit-remaining-tokens": junk})
    await crowd.ask("C1", 500)
    assert crowd.order == ["C1"]
    crowd.scheduler.apply_headers({"x-ratelimit-remaining-tokens": "0"})
    await crowd.ask("C2", 100)
    assert await crowd.after(9) == []
    assert await crowd.after(2) == ["C2"]


async def test_whoever_gives_up_waiting_leaves_no_trace() -> None:
    crowd = Crowd(600)
    await crowd.ask("C1", 600)
    gone = await crowd.ask("C2", 600)
    await crowd.ask("C3", 10)
    gone.cancel()
    await settle()
    assert await crowd.after(1.1) == ["C3"]
    assert crowd.scheduler.waiting() == 0


async def test_a_share_granted_to_somebody_who_just_left_is_given_back() -> None:
    crowd = Crowd(600)
    await crowd.ask("C1", 600)
    gone = await crowd.ask("C2", 600)
    crowd.clock.now += 60
    crowd.scheduler.pump()
    gone.cancel()
    await settle()
    await crowd.ask("C3", 600)
    assert crowd.order == ["C1", "C3"]


async def test_the_timer_lets_people_through_without_anybody_asking() -> None:
    scheduler = Scheduler(tokens_per_minute=6000)
    await scheduler.acquire("C1", 6000)
    await asyncio.wait_for(scheduler.acquire("C2", 10), 2)


@pytest.mark.parametrize("seed", range(20))
async def test_never_more_than_a_bucket_and_its_refill_passes(seed: int) -> None:
    chance = random.Random(seed)
    crowd = Crowd(600)
    sizes = {f"C{at}": chance.randint(1, 400) for at in range(40)}
    for channel, tokens in sizes.items():
        await crowd.ask(channel, tokens)
    elapsed = 0.0
    while crowd.scheduler.waiting():
        await crowd.after(step := chance.uniform(0.1, 20))
        elapsed += step
        assert sum(sizes[channel] for channel in crowd.order) <= 600 + 10 * elapsed + 1e-6
    assert crowd.order == list(sizes)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m0s", 360), ("120ms", 0.12), ("1m12.5s", 72.5), ("17", 17), ("", None), ("soon", None)],
)
def test_durations_as_apis_write_them(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds
