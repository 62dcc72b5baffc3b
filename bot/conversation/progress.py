"""What is written down of a reply on its way, so that the next process knows what stands in Slack."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

from bot.core.errors import BotError
from storage.conversation import replies
from storage.conversation.replies import ReplyRow
from storage.engine import Engine

log = logging.getLogger(__name__)


class SavedProgress:
    """The row of one reply, as the side that writes in Slack sees it (handlers/reply/progress.py)."""

    def __init__(
        self,
        engine: Engine,
        reply_id: str,
        row: ReplyRow | None,
        *,
        sending: bool,
        outside: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`row`: as it was found; `sending`: that something of it may stand there is written down already."""
        self.messages = list(row.messages) if row else []
        self.session = bool(row and row.session)
        self.outside = outside
        self._engine = engine
        self._id = reply_id
        self._sending = sending
        self._notes: set[asyncio.Task[None]] = set()

    async def note_sending(self) -> None:
        """From now on something of the reply may stand in Slack. StorageError."""
        if not self._sending:
            await self._engine.write(replies.mark_sending, self._id)
            self._sending = True

    def note_opened(self, messages: list[str]) -> None:
        """Writes down which messages a stream occupies, without holding the stream up for it."""
        task = asyncio.create_task(self._engine.write(replies.mark_opened, self._id, list(messages)))
        self._notes.add(task)
        task.add_done_callback(self._noted)

    async def note_session(self, shown: bool) -> bool:
        """Whether it is written down; if not, the next process knows nothing of it."""
        try:
            await self._engine.write(replies.mark_session, self._id, shown=shown)
        except BotError as exc:
            log.warning("not noted whether a thread shows somebody at work: %s", type(exc).__name__)
            return False
        return True

    def _noted(self, task: asyncio.Task[None]) -> None:
        """Where it failed, the thread is looked at instead."""
        self._notes.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), BotError):
            log.warning("not noted which messages a stream occupies: %s", type(error).__name__)
