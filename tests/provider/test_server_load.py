"""How many requests a server of one's own gets at once: simulated servers on virtual time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from bot.provider.arrivals import Ask
from bot.provider.fair_share import Scheduler
from bot.provider.model_line import Ticket
from bot.provider.model_server import ModelServer
from tests.support.virtual_time import now, run

OWN = ModelServer("http://127.0.0.1:8080/v1", own=True)
FIRST_TOKEN_S, ANSWER_S = 0.3, 6.0


@dataclass
class SlowingServer:
    """Answers `slots` requests at a time. The others it lines up, or, `sharing`, works on all at once and on
    each the slower."""

    slots: int
    sharing: bool = False
    under_way: int = 0
    most: int = 0
    room: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def first_token(self, longer: float) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.sharing:
            await asyncio.sleep(longer * FIRST_TOKEN_S * max(1.0, self.under_way / self.slots))
        else:
            async with self.room:
                await self.room.wait_for(lambda: self.slots > 0)
                self.slots -= 1
            await asyncio.sleep(longer * FIRST_TOKEN_S)

    async def rest(self, longer: float) -> None:
        slower = max(1.0, self.under_way / self.slots) if self.sharing else 1.0
        await asyncio.sleep(longer * ANSWER_S * slower)
        self.under_way -= 1
        if not self.sharing:
            self.slots += 1
            async with self.room:
                self.room.notify()


class Team:
    """People who ask a server without end, `many` at a time."""

    def __init__(self, server: SlowingServer, there: ModelServer = OWN) -> None:
        self.server, self.there = server, there
        self.scheduler = Scheduler(clock=now)
        self._chance = random.Random(3)

    @property
    def places(self) -> float:
        return self.scheduler.places(self.there.address)

    async def ask(self, name: str) -> None:
        ask = Ask(name, name, "answer", self._chance.choice([200, 300, 3000]), 500)
        longer = self._chance.uniform(0.8, 1.2) * (2 if ask.prompt_tokens > 1000 else 1)
        share = await self.scheduler.acquire(self.there, "m", ask, Ticket())
        try:
            since = now()
            await self.server.first_token(longer)
            share.note_first_token(now() - since)
            await self.server.rest(longer)
            share.settle(400, 200)
        finally:
            share.leave()

    async def work(self, seconds: float, many: int) -> None:
        async def one(name: str) -> None:
            while True:
                await self.ask(name)

        tasks = [asyncio.create_task(one(f"C{n}")) for n in range(many)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def on(server: SlowingServer, *, minutes: float = 12, many: int = 40, there: ModelServer = OWN) -> Team:
    async def main() -> Team:
        team = Team(server, there)
        await team.work(minutes * 60, many)
        return team

    return run(main())


@pytest.mark.parametrize("slots", [1, 4, 16])
def test_a_server_that_lines_up_what_is_too_much_gets_about_what_it_works_on(slots: int) -> None:
    team = on(SlowingServer(slots))
    assert slots * 0.7 <= team.places <= slots * 1.35 + 1


@pytest.mark.parametrize("slots", [2, 12])
def test_a_server_that_works_on_all_at_once_gets_what_it_begins_quickly(slots: int) -> None:
    team = on(SlowingServer(slots, sharing=True))
    assert slots * 0.7 <= team.places <= slots * 3


def test_a_server_that_begins_at_once_however_much_it_gets_is_soon_held_back_no_more() -> None:
    team = on(SlowingServer(100_000), minutes=2, many=100)
    assert team.server.most == 100


def test_it_begins_with_four_and_a_number_of_the_operator_stays() -> None:
    assert on(SlowingServer(8), minutes=0.05).server.most == 4
    assert on(SlowingServer(8), there=ModelServer(OWN.address, own=True, parallel=3)).server.most == 3
    service = ModelServer("https://model.example.com/v1", parallel=5)
    assert on(SlowingServer(8), there=service).server.most == 5


def test_a_server_that_became_slower_gets_fewer_and_more_again_when_it_recovers() -> None:
    async def main() -> list[float]:
        server = SlowingServer(12, sharing=True)
        team, seen = Team(server), list[float]()
        for slots in (12, 3, 12):
            server.slots = slots
            await team.work(600, 40)
            server.under_way = 0
            seen.append(team.places)
        return seen

    quick, slow, again = run(main())
    assert slow < quick / 2
    assert again > slow * 1.5


def test_all_models_of_a_server_share_its_places() -> None:
    async def main() -> list[str]:
        scheduler, passed = Scheduler(clock=now), list[str]()

        async def ask(model: str) -> None:
            share = await scheduler.acquire(OWN, model, Ask("C", "U", "answer", 0, 1), Ticket())
            passed.append(model)
            await asyncio.sleep(10)
            share.leave()

        tasks = [asyncio.create_task(ask(model)) for model in "aabbccdd"]
        await asyncio.sleep(5)
        assert passed == list("aabb")
        await asyncio.gather(*tasks)
        return passed

    assert run(main()) == list("aabbccdd")
