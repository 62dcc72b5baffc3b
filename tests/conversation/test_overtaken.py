"""A thread is shown without the post that overtook its mention: whether it is looked at again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.conversation.overtaken import LAG_S, Overtaken
from bot.core.codec import encode
from bot.core.errors import SlackUnavailable
from bot.core.ids import message_key
from bot.core.values import Conversation, Incoming
from bot.jobs.inbox import Job
from storage.conversation import passed_over
from storage.database import open_engine
from tests.support.engines import database_url

PLACE = Conversation("T", "C", "1795971300.000001")
POSTED = datetime.fromtimestamp(1795971300, UTC)
MENTION = Incoming(message_key("T", "C", PLACE.thread), PLACE, "U", PLACE.thread, "what is Ghent?", POSTED)
LATER = "1795971303.000000"
RECEIVED_AT = POSTED.timestamp() + 300  # by our clock, which is five minutes fast


class Reader:
    """Shows a thread as far as its history goes."""

    def __init__(self) -> None:
        self.newest = PLACE.thread

    async def read_later_posts(self, asked: Incoming) -> tuple[list[Incoming], str]:
        post = replace(asked, key=message_key("T", "C", LATER), message=LATER, text="who lives there?")
        return [post] * (self.newest == LATER), self.newest


async def test_a_history_that_lags_is_read_again_whatever_our_clock_says(tmp_path: Path) -> None:
    job = Job(1, "overtaken", "T:C", "overtaken", encode(MENTION), 1, 0, 0, RECEIVED_AT)
    reader, taken = Reader(), list[str]()

    async def take(post: Incoming) -> None:
        taken.append(post.message)

    def at(seconds: float) -> Callable[[], datetime]:
        return lambda: POSTED + timedelta(seconds=300 + seconds)

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await engine.write(passed_over.note, PLACE, LATER, now=RECEIVED_AT)
        posts = SimpleNamespace(take_unmentioned=take)
        with pytest.raises(SlackUnavailable):
            await Overtaken(engine, posts, reader, clock=at(1)).work(job)
        await Overtaken(engine, posts, reader, clock=at(LAG_S)).work(job)  # it was deleted, perhaps
        assert taken == []
        reader.newest = LATER
        await Overtaken(engine, posts, reader, clock=at(3)).work(job)
        assert taken == [LATER]
