"""A model's answer while it arrives: an iterator of text that another task may end at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from bot.core.values import Completion, Finish, Usage
from bot.provider.gate import Attempt


@dataclass(slots=True)
class AnswerState:
    """What has arrived of an answer so far. `attempt` is the request it comes from."""

    asked_model: str
    parts: list[str] = field(default_factory=list)
    finish: Finish | None = None
    attempt: Attempt | None = None

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def model(self) -> str:
        return self.attempt.model if self.attempt else self.asked_model


class AnswerStream:
    """Iterate once for the text; `completion` holds all of it and how it ended.

    `aclose` may be called from anywhere, also while somebody waits for the next part: the request ends at
    once and the iteration with it.
    """

    def __init__(self, texts: AsyncGenerator[str, None], heard: AnswerState) -> None:
        self._texts = texts
        self._heard = heard
        self._reader: asyncio.Task[object] | None = None
        self._stopped = False

    @property
    def completion(self) -> Completion:
        """What was said. Of an answer that was not heard to its end: `stopped`."""
        heard, attempt = self._heard, self._heard.attempt
        usage = attempt.usage if attempt and attempt.usage else Usage(requests=0)
        cost_usd = attempt.cost_usd if attempt else None
        return Completion(heard.text, heard.finish or "stopped", heard.model, usage, cost_usd)

    def __aiter__(self) -> AnswerStream:
        return self

    async def __anext__(self) -> str:
        if self._is_stopped():
            raise StopAsyncIteration
        reader = self._reader = asyncio.current_task()
        assert reader is not None
        before = reader.cancelling()
        try:
            return await self._texts.__anext__()
        except asyncio.CancelledError:
            if self._is_stopped() and reader.uncancel() <= before:
                raise StopAsyncIteration from None
            raise
        finally:
            self._reader = None

    async def aclose(self) -> None:
        """Ends the answer; what was said stays in `completion`."""
        if self._is_stopped():
            return
        self._stopped = True
        if self._reader:
            self._reader.cancel()
        else:
            await self._texts.aclose()

    def _is_stopped(self) -> bool:
        return self._stopped
