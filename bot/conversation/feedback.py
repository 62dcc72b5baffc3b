"""What people say of an answer: that it was good, or bad, or wrongly refused; and what they may ask of it."""

from __future__ import annotations

from collections.abc import Callable

from bot.conversation.account import AnswerRecord, find_record
from bot.core.values import Conversation
from bot.guard.service import ChannelGuard
from storage.conversation import replies
from storage.engine import Engine
from storage.knowledge import answer_examples


class Feedback:
    """Keeps people's judgements of replies and verdicts, and has the channel's guard learn from them."""

    def __init__(self, engine: Engine, guard: ChannelGuard, *, clock: Callable[[], float]) -> None:
        """`clock` gives unix seconds."""
        self._engine, self._guard, self._clock = engine, guard, clock

    async def rate(self, reply_id: str, team: str, user: str, *, good: bool) -> bool:
        """One person's opinion of one reply; the last one counts. Whether the guard learned from it."""
        rating = 1 if good else -1
        await self._engine.write(replies.judge, reply_id, team, user, rating, now=self._clock())
        if await self._guard.is_member(user):
            await self._engine.write(answer_examples.rate, team, reply_id, good=good)
        return good and await self._guard.learn_good_answer(team, reply_id, by=user)

    async def find_record(self, place: Conversation, message: str, *, key: str) -> AnswerRecord | None:
        """How the answer in a message, or to one (of that key), came about; None when there is none."""
        return await find_record(self._engine, place, message, key=key)

    async def overrule(self, team: str, verdict: int, on_topic: bool, *, by: str) -> bool:
        """What a verdict should have been: it is learned, and what was wrongly refused is asked again.

        Returns whether it is asked again.
        """
        judged = await self._guard.read_verdict(team, verdict)
        new = await self._guard.overrule(team, verdict, on_topic, by=by)
        return new and on_topic and judged.verdict.stops and judged.label is None
