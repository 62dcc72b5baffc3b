"""A turn at work, ended from outside at any of its moments."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.conversation.running import Running
from bot.core.values import Conversation, File, Incoming
from bot.jobs.inbox import Job

PLACE = Conversation("T", "C", "1")
POST = Incoming("m:T:C:1", PLACE, "U", "1", "one", datetime(2026, 11, 29, tzinfo=UTC))
JOB = Job(1, POST.key, PLACE.key, "message", "", 1, 0, 0, 0.0)


class Work:
    """Something under way that can be closed."""

    delivered = False

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def aclose(self) -> None:
        self.closed.set()


def begun() -> tuple[Running, Work]:
    running, work = Running(JOB, (POST,)), Work()
    running.watch(work)
    return running, work


async def is_closed(work: Work) -> bool:
    await asyncio.sleep(0)
    return work.closed.is_set()


async def test_a_stop_between_the_turn_and_its_delivery_ends_the_delivery() -> None:
    running, _ = begun()
    assert not running.begin_anew()
    running.end("stopped")
    delivery = Work()
    running.deliver(delivery)
    assert await is_closed(delivery)


async def test_a_stop_of_the_model_lets_what_it_said_be_delivered() -> None:
    running, work = begun()
    running.end("stopped")
    assert await is_closed(work)
    assert not running.begin_anew()
    delivery = Work()
    running.deliver(delivery)
    assert not await is_closed(delivery)


async def test_what_comes_between_the_turn_and_its_delivery_does_not_end_it() -> None:
    running, _ = begun()
    assert not running.begin_anew()
    running.add()
    delivery = Work()
    running.deliver(delivery)
    assert not await is_closed(delivery)


async def test_a_deletion_is_not_undone_by_what_comes_after_it() -> None:
    running, work = begun()
    running.remove(POST.key)
    for why in ("stopped", "joined"):
        running.end(why)
    assert await is_closed(work)
    assert not running.begin_anew()
    assert running.ended == "deleted"


async def test_the_turn_begins_anew_twice_and_not_more() -> None:
    running, _ = begun()
    times = 0
    for _ in range(5):
        running.add()
        times += running.begin_anew()
    assert times == 2


@pytest.mark.parametrize("changed", [{"text": "two"}, {"quoted": "a quote"}, {"unreadable": ("a map",)}])
async def test_a_post_that_says_more_begins_the_turn_anew_and_one_that_says_the_same_does_not(
    changed: dict[str, object],
) -> None:
    running, _ = begun()
    running.change(POST)
    assert not running.begin_anew()
    running.change(replace(POST, **changed))  # type: ignore[arg-type]
    assert running.begin_anew()


async def test_a_file_that_comes_while_the_answer_is_shown_is_named_as_missed() -> None:
    running, _ = begun()
    running.answering = True
    running.change(replace(POST, files=(File("F", "plan.pdf", "application/pdf", 4, "u"),)))
    assert running.missed == ("plan.pdf",)
    assert not running.begin_anew()


async def test_an_answer_is_delivered_once_slack_has_all_of_it() -> None:
    running, _ = begun()
    delivery = Work()
    running.deliver(delivery)
    assert not running.delivered
    delivery.delivered = True
    assert running.delivered
