"""What a process keeps in memory of the database is read anew when another one changed it.

The change and the message about it are one transaction (storage/workers/changes.py). Behind that, everything
is read anew every half minute: a message may be lost with a process, a value never stays wrong.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from bot.workers.mailbox import Mailbox
from storage.workers.changes import CHANGED

log = logging.getLogger(__name__)

Reread = Callable[[], Awaitable[None]]
EVERY_S = 30.0


class Caches:
    """All of this process."""

    def __init__(self, mailbox: Mailbox, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rereads: dict[str, Reread] = {}
        self._clock = clock
        self._read_at = clock()
        mailbox.register(CHANGED, self._reread)

    def register(self, what: str, reread: Reread) -> None:
        """Has `reread` called when something of that name was changed, and now and then."""
        self._rereads[what] = reread

    async def look(self, asked: bool) -> None:
        """Reads everything anew when it is time (bot/jobs/watch.py)."""
        if self._clock() - self._read_at < EVERY_S:
            return
        self._read_at = self._clock()
        for what in self._rereads:
            await self._reread(what)

    async def _reread(self, what: str) -> None:
        if reread := self._rereads.get(what):
            await reread()
