"""What runs beside a block ends with it, and whoever runs the block can be ended too."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.background import run_alongside
from tests.support.virtual_time import run


def test_it_is_gone_after_the_block_and_has_taken_its_leave() -> None:
    told = list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            told.append("gone")

    async def story() -> None:
        async with run_alongside(work()):
            await asyncio.sleep(1)

    run(story())
    assert told == ["gone"]


def test_what_went_wrong_in_it_is_raised_where_the_block_ends() -> None:
    async def work() -> None:
        raise ValueError("wrong")

    async def story() -> None:
        async with run_alongside(work()):
            await asyncio.sleep(1)

    with pytest.raises(ValueError, match="wrong"):
        run(story())


def test_whoever_is_ended_while_waiting_for_its_leave_ends() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(100)

    async def story() -> None:
        async with asyncio.timeout(10):
            async with run_alongside(work()):
                await asyncio.sleep(1)
            await asyncio.sleep(1000)

    with pytest.raises(TimeoutError):
        run(story())
