"""Commands, buttons and forms that arrive signed, each carried out once.

Slack never repeats these; whoever recorded one can, as long as its signature is young enough to be believed.
Posts may come again, and are told apart by their own ids (bot/jobs/inbox.py).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from bot.core.errors import BotError
from storage.engine import Engine
from storage.jobs import deliveries

log = logging.getLogger(__name__)

# A signature is believed five minutes before and after its time. Source: docs.slack.dev, verifying requests
KEPT_S = 2 * 300.0 + 60.0


class SignedDeliveries:
    """Those that were taken. Known to this process at once, and to the next one by the database."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._taken: dict[str, float] = {}

    async def take(self, signature: str) -> bool:
        """Whether this one is to be carried out: nobody has taken it before. A database that cannot be
        written keeps nobody from asking for help."""
        digest, now = hashlib.sha256(signature.encode()).hexdigest(), self._clock()
        while self._taken and next(iter(self._taken.values())) < now - KEPT_S:
            del self._taken[next(iter(self._taken))]
        if digest in self._taken:
            return False
        self._taken[digest] = now
        try:
            return await self._engine.write(deliveries.take, digest, now=now, kept_s=KEPT_S)
        except BotError as exc:
            log.warning("a delivery was not written down: %s", exc)
            return True
