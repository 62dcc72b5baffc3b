"""What other processes left for this one is read, and handed to whoever waits for it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable

from bot.core.errors import BotError
from storage.engine import Engine
from storage.workers import mailbox
from storage.workers.mailbox import WorkerMessage

log = logging.getLogger(__name__)

Hear = Callable[[str], Awaitable[None]]


class Mailbox:
    """Of this process. What is heard is read again from the database, so it may be told twice."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hearers: dict[str, Hear] = {}
        self._taken: deque[WorkerMessage] = deque()

    def register(self, topic: str, hear: Hear) -> None:
        """Has `hear(text)` called for each message of a topic, one at a time in the order they came."""
        if topic in self._hearers:
            raise RuntimeError(f"messages about {topic!r} have a reader already")
        self._hearers[topic] = hear

    async def look(self, asked: bool) -> None:
        """Reads what there is (bot/jobs/watch.py). What cannot be done now is done with the next look."""
        if await self._engine.read(mailbox.has_any, self._engine.worker):
            self._taken += await self._engine.write(mailbox.take, self._engine.worker)
        while self._taken:
            await self._hear(self._taken[0])
            self._taken.popleft()

    async def _hear(self, message: WorkerMessage) -> None:
        """A mistake of ours in one keeps nobody from hearing the next; a database that is away does."""
        hear = self._hearers.get(message.topic)
        if hear is None:  # of a newer version
            log.info("another process speaks of %s, which is not known here", message.topic)
            return
        try:
            await hear(message.text)
        except BotError:
            raise
        except Exception:
            log.exception("a message of another process about %s", message.topic)
