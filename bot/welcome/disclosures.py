"""That people talk with an AI whose answers can be wrong: the sentence, and who was told it.

Under an answer to a question it is committed together with the answer (bot/conversation/records.py). What a
command answers is shown by Slack once and can never be looked up, so there it is noted after it was shown:
rather told twice than never.

Source: Regulation (EU) 2024/1689 (AI Act), article 50, (1) and (5): clearly, accessibly, and at the latest at
the time of the first interaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from bot.core.errors import BotError
from bot.core.settings import Settings
from storage.engine import Engine
from storage.welcome import disclosures

log = logging.getLogger(__name__)

SENTENCE = "I am an AI: my answers can be wrong, so please check what matters."


def read_sentence(settings: Settings) -> str:
    """The sentence in the operator's own words, if there are any."""
    own = " ".join(settings.disclosure.split())
    return own if any(map(str.isalnum, own)) else SENTENCE


@dataclass(slots=True)
class FirstAnswer:
    """What may be the first answer of a person. `sentence`: what has to stand in it, "" for who was told."""

    sentence: str
    shown: bool = False  # set by whoever shows the sentence


class Disclosures:
    """Tells a person once, whatever answers them first. `clock` gives unix seconds."""

    def __init__(self, settings: Settings, engine: Engine, *, clock: Callable[[], float]) -> None:
        self.sentence = read_sentence(settings)
        self._engine = engine
        self._clock = clock
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def saying(
        self, team: str, person: str, *, channel: str, source: str
    ) -> AsyncIterator[FirstAnswer]:
        """Around one answer that is no reply to a question: what it shows is noted. Of several at once the
        first one tells."""
        if await self._is_told(team, person):
            yield FirstAnswer("")
            return
        lock = self._locks.setdefault((team, person), asyncio.Lock())
        async with lock:
            answer = FirstAnswer("" if await self._is_told(team, person) else self.sentence)
            yield answer
            if answer.shown:
                await self._note(team, person, channel, source)

    async def _is_told(self, team: str, person: str) -> bool:
        try:
            return await self._engine.read(disclosures.is_told, team, person)
        except BotError as exc:
            log.warning("nobody knows whether somebody was told that this is an AI: %s", type(exc).__name__)
            return False

    async def _note(self, team: str, person: str, channel: str, source: str) -> None:
        try:
            await self._engine.write(
                disclosures.note,
                team,
                person,
                disclosures.ANSWER,
                channel=channel,
                source=source,
                now=self._clock(),
            )
        except BotError as exc:
            log.warning("not noted that somebody was told that this is an AI: %s", type(exc).__name__)
