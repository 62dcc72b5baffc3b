"""A model's answer while it arrives: an iterator of text that any task may end at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from bot.core.values import Completion, Finish, Usage
from bot.provider.gate import ProviderRequest


@dataclass(slots=True)
class AnswerState:
    """What has arrived of an answer so far. `request` is the one it comes from."""

    asked_model: str
    parts: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # all that the model wrote, reasoning too
    finish: Finish | None = None
    taken_back: bool = False  # something was shown that was no answer
    unheeded: bool = False  # it was not of the form that was asked for
    request: ProviderRequest | None = None
    passed_over: str = ""  # the model that was asked first and did not answer
    unseen: bool = False  # the request holds no pictures, though the prompt does

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def take_back(self) -> None:
        """What has arrived was reasoning: the answer begins anew."""
        self.taken_back = self.taken_back or bool(self.parts)
        self.parts.clear()

    def begin_anew(self) -> None:
        """What came of one request is of no use, and another one is made."""
        self.take_back()
        self.finish = None

    @property
    def model(self) -> str:
        return self.request.model if self.request else self.asked_model


class AnswerStream:
    """Iterate once for the text; `completion` holds all of it and how it ended.

    `aclose` may be called from anywhere, also while somebody waits for the next part: the request ends at
    once and the iteration with it.
    """

    def __init__(self, texts: AsyncGenerator[str, None], state: AnswerState) -> None:
        self._texts = texts
        self._state = state
        self._reader: asyncio.Task[object] | None = None
        self._stopped = False

    @property
    def completion(self) -> Completion:
        """What has arrived. The finish of an answer that was not read to its end is `stopped`."""
        state, request = self._state, self._state.request
        usage = request.usage if request and request.usage else Usage(requests=0)
        cost_usd = request.cost_usd if request else None
        finish = state.finish or "stopped"
        return Completion(
            state.text,
            finish,
            state.model,
            usage,
            cost_usd,
            instead_of=state.passed_over,
            unseen=state.unseen,
        )

    @property
    def taken_back(self) -> bool:
        """Whether some of the text that was iterated turned out to be no part of the answer."""
        return self._state.taken_back

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
        """Ends the answer; what has arrived stays in `completion`."""
        if self._is_stopped():
            return
        self._stopped = True
        if self._reader:
            self._reader.cancel()
        else:
            await self._texts.aclose()

    def _is_stopped(self) -> bool:
        return self._stopped
