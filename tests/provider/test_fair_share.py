"""Whose turn it is, and when: the scheduler on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import pytest

from bot.provider.arrivals import Ask
from bot.provider.fair_share import Scheduler
from bot.provider.forecasts import Forecast
from bot.provider.model_line import Share, Ticket
from bot.provider.model_server import ModelServer
from tests.support.virtual_time import now, run

ADDRESS = "https://model.example.com/v1"
LIMIT = 6000.0  # a minute: 100 tokens a second, 1000 at once


@dataclass
class Crowd:
    """Requests, and when and in which order they were let through. One of `longest` tokens reserves those."""

    server: ModelServer = field(default_factory=lambda: ModelServer(ADDRESS, tokens_per_minute=LIMIT))
    order: list[str] = field(default_factory=list)
    shares: dict[str, Share] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)
    told: dict[str, list[Forecast | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(clock=now)

    async def ask(
        self,
        name: str,
        longest: float = 1000,
        *,
        person: str = "one",
        kind: str = "answer",
        background: bool = False,
        ticket: Ticket | None = None,
        model: str = "m",
    ) -> asyncio.Task[None]:
        """`name` begins with the channel: `C1 first`."""
        wants = Ask(name.split()[0], person, kind, 0, longest, background)

        async def wait() -> None:
            told = self.told.setdefault(name, [])
            share = await self.scheduler.acquire(
                self.server, model, wants, ticket or Ticket(), tell=told.append
            )
            self.order.append(name)
            self.shares[name], self.at[name] = share, round(now(), 1)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return task


def on_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def timed(*given: Any, **more: Any) -> None:
        async def main() -> None:
            await test(*given, **more)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        run(main())

    return timed


def unlimited(**more: Any) -> ModelServer:
    return ModelServer(ADDRESS, **more)


@on_virtual_time
async def test_a_burst_of_ten_seconds_goes_out_at_once_and_then_it_is_even() -> None:
    crowd = Crowd()
    for n in range(20):
        await crowd.ask(f"C1 {n}", 500)
    await asyncio.sleep(60)
    assert [crowd.at[f"C1 {n}"] for n in range(5)] == [0, 0, 5, 10, 15]
    assert len(crowd.order) == 14, "a minute's tokens and the burst"


@on_virtual_time
async def test_channels_get_the_same_number_of_tokens_however_many_and_large_their_requests() -> None:
    crowd = Crowd()
    await crowd.ask("first", 1000)
    for n in range(30):
        await crowd.ask(f"many {n}", 200)
        await crowd.ask(f"large {n}", 1000)
    await asyncio.sleep(60)
    many = sum(name.startswith("many") for name in crowd.order)
    large = sum(name.startswith("large") for name in crowd.order)
    assert many == pytest.approx(5 * large, abs=5)


@on_virtual_time
async def test_whoever_has_just_had_much_lets_others_go_first() -> None:
    crowd = Crowd()
    await crowd.ask("C1 much", 1000)
    await crowd.ask("C1 more", 100)
    await crowd.ask("C2", 100)
    await asyncio.sleep(10)
    assert crowd.order == ["C1 much", "C2", "C1 more"]


@on_virtual_time
async def test_a_calm_person_is_not_held_up_by_somebody_who_floods_the_same_channel() -> None:
    crowd = Crowd()
    for n in range(40):
        await crowd.ask(f"C1 {n}", 500, person="flooding")
    await asyncio.sleep(10)
    await crowd.ask("C1 calm", 500, person="calm")
    await asyncio.sleep(120)
    assert crowd.at["C1 calm"] <= 20


@on_virtual_time
async def test_a_large_request_is_not_starved_by_small_ones() -> None:
    crowd = Crowd()
    await crowd.ask("first", 1000)
    await crowd.ask("large", 900)
    for n in range(100):
        await crowd.ask(f"small {n}", 10)
    await asyncio.sleep(20)
    assert crowd.at["large"] <= 10


@on_virtual_time
async def test_background_work_goes_last_and_still_goes_on() -> None:
    crowd = Crowd()
    for n in range(100):
        await crowd.ask(f"training {n}", 100, background=True)
        await crowd.ask(f"people {n}", 100)
    await asyncio.sleep(60)
    waited_for = [name for name in crowd.order[10:60] if name.startswith("training")]
    assert 3 <= len(waited_for) <= 7


@on_virtual_time
async def test_more_than_a_burst_waits_for_a_full_one_and_owes_the_rest() -> None:
    crowd = Crowd()
    await crowd.ask("C1 small", 100)
    await crowd.ask("C2 huge", 3000)
    await crowd.ask("C3 small", 100)
    await asyncio.sleep(60)
    assert crowd.at == {"C1 small": 0, "C2 huge": 1, "C3 small": 22}


@on_virtual_time
@pytest.mark.parametrize(("counted", "passes_at"), [("use", 1.0), ("reserve", 5.0)])
async def test_what_was_not_used_is_given_back_where_use_counts(counted: str, passes_at: float) -> None:
    crowd = Crowd(ModelServer(ADDRESS, tokens_per_minute=LIMIT, counted=counted))
    await crowd.ask("C1", 1000)
    await crowd.ask("C2", 500)
    await asyncio.sleep(1)
    crowd.shares["C1"].settle(200, 200)
    crowd.shares["C1"].leave()
    await asyncio.sleep(10)
    assert crowd.at["C2"] == passes_at


@on_virtual_time
async def test_where_use_counts_answers_reserve_what_answers_of_their_kind_really_have() -> None:
    crowd = Crowd(ModelServer(ADDRESS, tokens_per_minute=LIMIT, counted="use"))
    for n in range(12):
        await crowd.ask(f"C1 {n}", 1000)
        await asyncio.sleep(20)
        crowd.shares[f"C1 {n}"].settle(100, 100)
        crowd.shares[f"C1 {n}"].leave()
    for n in range(30):
        await crowd.ask(f"C2 {n}", 1000)
        await crowd.ask(f"C3 {n}", 50)
    await crowd.ask("C4", 1000, kind="summary")
    await asyncio.sleep(0)
    assert sum(name.startswith("C2") for name in crowd.order) >= 5, "100 each"
    assert crowd.shares["C3 0"].amount == 50, "never more than the longest answer"
    await asyncio.sleep(60)
    assert crowd.shares["C4"].amount == 1000, "of this kind nothing is known"


@on_virtual_time
async def test_a_refused_request_keeps_its_place_before_everybody_who_came_later() -> None:
    crowd, ticket = Crowd(), Ticket()
    await crowd.ask("C1 refused", 800, ticket=ticket)
    for n in range(5):
        await crowd.ask(f"C1 {n}", 500)
        await crowd.ask(f"C2 {n}", 500)
    crowd.shares["C1 refused"].refuse({}, 7.0)
    crowd.shares["C1 refused"].leave()
    await crowd.ask("C1 again", 800, ticket=ticket)
    await asyncio.sleep(6.9)
    assert crowd.order == ["C1 refused"], "nobody is let through meanwhile"
    await asyncio.sleep(0.2)
    assert crowd.order == ["C1 refused", "C1 again"]


@on_virtual_time
async def test_nothing_is_saved_up_while_a_server_takes_nothing() -> None:
    crowd, ticket = Crowd(), Ticket()
    await crowd.ask("C0", 700)
    await crowd.ask("C1 refused", 300, ticket=ticket)
    crowd.shares["C1 refused"].refuse({}, 30.0)
    crowd.shares["C1 refused"].leave()
    await crowd.ask("C1 again", 300, ticket=ticket)
    await crowd.ask("C2", 500)
    await asyncio.sleep(60)
    assert (crowd.at["C1 again"], crowd.at["C2"]) == (30, 35)


@on_virtual_time
async def test_refusals_that_do_not_say_how_long_are_waited_out_ever_longer() -> None:
    crowd, ticket = Crowd(unlimited()), Ticket()
    for n in range(4):
        await crowd.ask(f"C1 {n}", ticket=ticket)
        await asyncio.sleep(20)
        crowd.shares[f"C1 {n}"].refuse({}, None)
        crowd.shares[f"C1 {n}"].leave()
        crowd.at[f"refused {n}"] = now()
        await crowd.ask(f"C1 {n} again")
        await asyncio.sleep(20)
        crowd.shares[f"C1 {n} again"].leave()
    pauses = [crowd.at[f"C1 {n} again"] - crowd.at[f"refused {n}"] for n in range(4)]
    assert pauses == pytest.approx([0.5, 1, 2, 4], abs=0.1)


@on_virtual_time
async def test_requests_per_minute_are_kept_too() -> None:
    crowd = Crowd(unlimited(requests_per_minute=30))
    for n in range(6):
        await crowd.ask(f"C1 {n}", 1e6)
    await asyncio.sleep(60)
    assert [crowd.at[f"C1 {n}"] for n in range(6)] == [0, 0, 0, 2, 4, 6]


def limits(limit: object, remaining: object, reset: str = "") -> Mapping[str, str]:
    values = {"limit": str(limit), "remaining": str(remaining), "reset": reset}
    return {f"x-ratelimit-{name}-tokens": value for name, value in values.items() if value}


@on_virtual_time
async def test_the_limit_is_what_the_server_says_up_to_the_ceiling_and_junk_is_nothing() -> None:
    for ceiling, said, at_once in [
        (0, 12_000, 2),
        (6_000, 12_000, 1),
        (6_000, 3_000, 0),
        (6_000, -1, 1),
        (6_000, 0, 1),
        (6_000, "many", 1),
        (6_000, "9" * 400, 1),
    ]:
        crowd = Crowd(unlimited(tokens_per_minute=ceiling))
        await crowd.ask("C0", 0)
        crowd.shares["C0"].note_headers(limits(said, said))
        for n in range(10):
            await crowd.ask(f"C{n}", 1000)
        assert len(crowd.order) - 1 == (at_once or 1), (ceiling, said)


@on_virtual_time
async def test_the_server_is_believed_when_it_says_that_less_is_left() -> None:
    crowd = Crowd()
    await crowd.ask("C1", 0)
    crowd.shares["C1"].note_headers(limits(6000, 0))
    await crowd.ask("C2", 100)
    await asyncio.sleep(10)
    assert crowd.at["C2"] == 1


@on_virtual_time
async def test_within_a_fixed_minute_no_more_goes_out_than_it_has_left_and_the_next_is_even_again() -> None:
    crowd = Crowd(unlimited())
    await crowd.ask("C0", 0)
    crowd.shares["C0"].note_headers(limits(6000, 5900, "55s"))
    await asyncio.sleep(5)
    crowd.shares["C0"].note_headers(limits(6000, 600, "50s"))
    for n in range(40):
        await crowd.ask(f"C1 {n}", 300)
    await asyncio.sleep(115)
    times = [crowd.at[f"C1 {n}"] for n in range(22)]
    assert times[:2] == [5, 5], "600 were left"
    assert times[2:6] == [58, 61, 64, 67], "nothing was saved up until the minute began at 55"


@on_virtual_time
@pytest.mark.parametrize("reset", ["60s", "6m0s", "", "soon", "-1", "1s"])
async def test_an_end_that_no_fixed_minute_has_holds_nobody(reset: str) -> None:
    crowd = Crowd(unlimited())
    await crowd.ask("C0", 0)
    for _ in range(5):
        crowd.shares["C0"].note_headers(limits(6000, 5900, reset))
        await asyncio.sleep(4)
    for n in range(10):
        await crowd.ask(f"C1 {n}", 1000)
    await asyncio.sleep(60)
    assert len(crowd.order) == 8


@on_virtual_time
async def test_each_model_of_a_server_has_a_limit_of_its_own() -> None:
    crowd = Crowd()
    await crowd.ask("C1 a", 1000)
    await crowd.ask("C1 b", 1000, model="another")
    assert crowd.order == ["C1 a", "C1 b"]


@on_virtual_time
async def test_before_a_server_has_said_anything_few_requests_go_out() -> None:
    crowd = Crowd(unlimited())
    for n in range(30):
        await crowd.ask(f"C1 {n}")
    assert len(crowd.order) == 4
    crowd.shares["C1 0"].note_headers(limits(60_000, 55_000))
    await asyncio.sleep(0)
    assert len(crowd.order) == 14, "now its limit is known: a burst of it"


@on_virtual_time
async def test_a_server_that_says_nothing_of_limits_gets_more_with_each_answer_and_half_after_a_refusal() -> (
    None
):
    crowd = Crowd(unlimited())
    for n in range(100):
        await crowd.ask(f"C1 {n}")
    for n in range(10):
        crowd.shares[f"C1 {n}"].leave()
        await asyncio.sleep(0)
    assert len(crowd.order) - 10 == 14
    crowd.shares["C1 10"].refuse({}, 1.0)
    for n in range(10, 18):
        crowd.shares[f"C1 {n}"].leave()
    await asyncio.sleep(2)
    assert len(crowd.order) - 18 in (7, 8)


@on_virtual_time
async def test_whoever_gives_up_waiting_leaves_no_trace() -> None:
    crowd = Crowd()
    await crowd.ask("C1", 1000)
    gone = await crowd.ask("C2 gone", 1000)
    await crowd.ask("C3", 100)
    gone.cancel()
    await asyncio.sleep(2)
    assert crowd.at["C3"] == 1
    assert crowd.scheduler.waiting() == 0


@on_virtual_time
async def test_a_share_granted_to_somebody_who_just_left_is_given_back() -> None:
    crowd = Crowd()
    await crowd.ask("C1", 1000)
    gone = await crowd.ask("C2 gone", 1000)
    asyncio.get_running_loop().call_later(10.0005, gone.cancel)
    asyncio.get_running_loop().call_at(10, gone.cancel)
    await asyncio.sleep(10.01)
    await crowd.ask("C3", 1000)
    assert crowd.order == ["C1", "C3"]


@on_virtual_time
async def test_a_turn_of_somebody_who_is_leaving_at_that_moment_goes_to_the_next() -> None:
    crowd = Crowd(ModelServer(ADDRESS, parallel=1))
    await crowd.ask("C1")
    gone = await crowd.ask("C2 gone")
    await crowd.ask("C3")
    gone.cancel()
    crowd.shares["C1"].leave()
    await asyncio.sleep(1)
    assert crowd.order == ["C1", "C3"]
    crowd.shares["C3"].leave()
    await crowd.ask("C4")
    assert crowd.order == ["C1", "C3", "C4"]


@on_virtual_time
async def test_whoever_waits_for_long_is_told_the_place_and_how_long_at_most_every_five_seconds() -> None:
    crowd = Crowd()
    await crowd.ask("C1", 1000)
    await crowd.ask("C2 soon", 400)
    for n in range(4):
        await crowd.ask(f"C3 {n}", 1000, person=f"{n}")
    await asyncio.sleep(60)
    assert crowd.told["C1"] == []
    assert crowd.told["C2 soon"] == [], "four seconds are not worth telling"
    *told, last = crowd.told["C3 2"]
    assert last is None
    assert [forecast.place for forecast in told if forecast] == [4, 3, 3, 2, 2, 1]
    assert told[0] is not None
    assert 31 <= told[0].wait_s <= 36, "those who stand before, or one more who is likely to come"


@on_virtual_time
async def test_a_wait_for_room_at_the_server_is_told_by_how_long_requests_take() -> None:
    crowd = Crowd(ModelServer(ADDRESS, parallel=1))
    await crowd.ask("C0")
    await asyncio.sleep(10)
    crowd.shares["C0"].leave()
    for n in range(4):
        await crowd.ask(f"C{n + 1}")
    await asyncio.sleep(3)
    assert [told[0] and round(told[0].wait_s) for told in crowd.told.values() if told] == [8, 18, 28]


@on_virtual_time
async def test_somebody_who_stops_waiting_is_not_told_anything_afterwards() -> None:
    crowd = Crowd()
    await crowd.ask("C1", 1000)
    gone = await crowd.ask("C2", 1000)
    await asyncio.sleep(4)
    gone.cancel()
    await asyncio.sleep(20)
    assert [said is None for said in crowd.told["C2"]] == [False, True]


@on_virtual_time
async def test_a_forecast_counts_with_those_who_come_later_and_go_first() -> None:
    crowd = Crowd()
    for n in range(30):
        await crowd.ask(f"C1 {n}", 400)
        await asyncio.sleep(10)
        await crowd.ask(f"C2 {n}", 500)
        await asyncio.sleep(10)
    for n in range(20):
        await crowd.ask(f"C1 many {n}", 1000)
    started = now()
    await asyncio.sleep(3)
    said = crowd.told["C1 many 9"][0]
    assert said is not None and said.place <= 10, "nobody who did not come yet has a place"
    for n in range(15):
        await crowd.ask(f"C2 later {n}", 500)
        await asyncio.sleep(20)
    came_s = crowd.at["C1 many 9"] - started - 2.5
    assert came_s > 105, "without the others it were 87"
    assert said.wait_s == pytest.approx(came_s, rel=0.15)


@on_virtual_time
async def test_a_forecast_counts_with_what_requests_under_way_will_give_back() -> None:
    crowd = Crowd(ModelServer(ADDRESS, tokens_per_minute=LIMIT, counted="use"))
    for n in range(12):
        await crowd.ask(f"C1 {n}", 1000)
        await asyncio.sleep(10)
        crowd.shares[f"C1 {n}"].settle(100, 100)
        crowd.shares[f"C1 {n}"].leave()
    waiting = [f"C2 {n}" for n in range(60)]
    for name in waiting:
        await crowd.ask(name, 1000)
    await asyncio.sleep(3)
    said = [told[0].wait_s for name in waiting if (told := crowd.told[name]) and told[0]]
    assert max(said) < 60, "a hundred each"


@on_virtual_time
async def test_a_crowd_is_foretold_in_order_however_long_the_line() -> None:
    crowd = Crowd()
    for n in range(400):
        await crowd.ask(f"C{n % 2} {n}", 1000, person=f"{n % 200}")
    await asyncio.sleep(3)
    said = [told[0] for told in crowd.told.values() if told and told[0]]
    assert sorted(one.place for one in said) == list(range(1, 400))
    by_place = [one.wait_s for one in sorted(said, key=lambda one: one.place)]
    assert by_place == sorted(by_place)
    assert by_place[-1] > 3000, "ten seconds each"


@on_virtual_time
async def test_a_limit_below_one_request_still_lets_it_through() -> None:
    crowd = Crowd(ModelServer(ADDRESS, tokens_per_minute=300))
    await crowd.ask("C1 larger than a minute", 1000)
    await crowd.ask("C2", 10)
    await asyncio.sleep(300)
    assert set(crowd.order) == {"C1 larger than a minute", "C2"}


@on_virtual_time
async def test_a_hundred_people_in_one_channel_take_turns() -> None:
    crowd = Crowd()
    for n in range(100):
        for again in range(2):
            await crowd.ask(f"C1 {n} {again}", 50, person=f"{n}")
    await asyncio.sleep(45)
    assert {name.split()[1] for name in crowd.order} == {f"{n}" for n in range(100)}
    assert all(name.endswith(" 0") for name in crowd.order[25:95])


async def ask_and_be_refused_above(
    crowd: Crowd, name: str, limit: float, sizes: list[tuple[float, float]]
) -> int:
    """At a server that tells nothing, and takes `limit` tokens within 60 s. Returns how often it refused."""
    ticket, refused = Ticket(), 0
    while True:
        attempt = f"{name} {refused}"
        await (await crowd.ask(attempt, 1000, ticket=ticket))
        share = crowd.shares[attempt]
        taken = sum(size for at, size in sizes if at > now() - 60)
        if taken + 1000 <= limit:
            sizes.append((now(), 1000))
            share.note_headers({})
            await asyncio.sleep(5)
            share.settle(1000, 500)
            share.leave()
            return refused
        refused += 1
        share.refuse({}, None)
        share.leave()


@on_virtual_time
async def test_the_limit_of_a_server_that_tells_none_is_learned_from_what_it_refuses() -> None:
    crowd, sizes = Crowd(unlimited()), list[tuple[float, float]]()
    tasks = [
        asyncio.create_task(ask_and_be_refused_above(crowd, f"C{n % 3} {n}", 20_000, sizes))
        for n in range(320)
    ]
    await asyncio.sleep(900)
    done = [task.result() for task in tasks if task.done()]
    assert len(done) >= 0.85 * 15 * 20, "a minute takes 20 of them"
    assert sum(done) <= 0.06 * len(done), "most of them before it is found out"
    for task in tasks:
        task.cancel()


@on_virtual_time
async def test_nothing_is_guessed_where_the_server_tells_its_limit() -> None:
    crowd = Crowd(unlimited())
    for n in range(10):
        await crowd.ask(f"C1 {n}", 1000)
        crowd.shares[f"C1 {n}"].note_headers(limits(60_000, 60_000))
        crowd.shares[f"C1 {n}"].leave()
    crowd.shares["C1 9"].refuse({}, 1.0)
    await asyncio.sleep(60)
    for n in range(20):
        await crowd.ask(f"C2 {n}", 1000)
    assert sum(name.startswith("C2") for name in crowd.order) == 10, "a burst of what it told"
