"""What arrives for one channel is done in the order of arrival."""

from __future__ import annotations

import asyncio

from bot.core.arrivals import ArrivalOrder


async def test_those_of_one_place_go_one_after_the_other_and_others_beside_them() -> None:
    order, done, gate = ArrivalOrder(), list[str](), asyncio.Event()

    async def work(place: str, name: str, wait: bool = False) -> None:
        async with order.keep(place):
            if wait:
                await gate.wait()
            done.append(name)

    first = asyncio.create_task(work("C1", "first", wait=True))
    gone = asyncio.create_task(work("C1", "gone"))
    last = asyncio.create_task(work("C1", "last"))
    await asyncio.sleep(0)
    await work("C2", "elsewhere")
    gone.cancel()
    await asyncio.wait([gone])
    assert done == ["elsewhere"], "nobody gets past for one who leaves"
    gate.set()
    await asyncio.gather(first, last)
    assert done == ["elsewhere", "first", "last"]
