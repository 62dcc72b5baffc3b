"""Posts that arrived before the mention they follow: they asked nothing of us then, and do since it came.

So it happens when we were away as the mention was posted, and Slack delivers it again minutes later. What was
passed over is not kept; what the asker wrote since is read from Slack once the mention is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.conversation.posts import Posts
from bot.conversation.questions import find_overtaken
from bot.core.codec import decode
from bot.core.errors import SlackUnavailable
from bot.core.ids import is_earlier
from bot.core.values import Incoming
from storage.engine import Engine
from storage.jobs.inbox import Effect, Job

LAG_S = 10.0  # so long Slack's history may be without a post that was delivered
AGAIN_S = 2.0


class LaterPostsReader(Protocol):
    """Where threads can be read from a post on."""

    async def read_later_posts(self, asked: Incoming) -> tuple[list[Incoming], str]:
        """What the same person posted in the thread since, oldest first; and the newest post of anybody."""


class Overtaken:
    """Has what the asker of a late mention wrote since be asked as well."""

    def __init__(
        self, engine: Engine, posts: Posts, reader: LaterPostsReader, *, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._posts = posts
        self._reader = reader
        self._clock = clock

    async def work(self, job: Job) -> Sequence[Effect]:
        """One mention: its asker's later posts, each taken in as if it came now."""
        asked = decode(job.payload)
        later, newest = await self._reader.read_later_posts(asked)
        passed_over = await self._engine.read(find_overtaken, asked)
        shown = newest and not is_earlier(newest, passed_over)
        if passed_over and not shown and self._is_recent(job):
            raise SlackUnavailable("the thread is shown without its newest post", retry_after_s=AGAIN_S)
        for post in later:
            await self._posts.take_unmentioned(replace(post, external=asked.external))
        return []

    def _is_recent(self, job: Job) -> bool:
        """Whether the mention came just now, all by the clock of this machine: Slack's may be another."""
        return 0 <= self._clock().timestamp() - job.received_at < LAG_S
