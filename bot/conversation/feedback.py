"""What people say of an answer: that it was good, or bad, or wrongly refused; and what they may ask of it."""

from __future__ import annotations

from collections.abc import Callable

from bot.conversation.account import AnswerRecord, find_record
from bot.core.values import Conversation
from bot.guard.service import ChannelGuard
from bot.knowledge.refused_examples import make_refused_example
from storage.conversation import replies
from storage.engine import Engine, Tx
from storage.knowledge import answer_examples
from storage.place import Channel
from storage.unanswered import questions


class Feedback:
    """Keeps people's judgements of replies and verdicts, and has the channel's guard learn from them."""

    def __init__(self, engine: Engine, guard: ChannelGuard, *, clock: Callable[[], float]) -> None:
        """`clock` gives unix seconds."""
        self._engine, self._guard, self._clock = engine, guard, clock

    async def rate(self, reply_id: str, team: str, user: str, *, good: bool, external: bool = False) -> bool:
        """One person's opinion of one reply; the last one counts. Whether the guard learned from it.
        `external`: another company reads along."""
        rating, now = 1 if good else -1, self._clock()
        await self._engine.write(replies.judge, reply_id, team, user, rating, now=now)
        if not external and await self._guard.is_member(user):
            await self._engine.write(_learn, team, reply_id, good=good, now=now)
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


def _learn(tx: Tx, team: str, reply_id: str, *, good: bool, now: float) -> None:
    """What passages answer, from an answer that is good or not; and from a refusal that is right."""
    refused = questions.find_by_reply(tx, team, reply_id) if good else None
    if refused and refused.outcome != "answered":
        at = Channel(team, refused.channel)
        answer_examples.add(tx, make_refused_example(at, refused, "refused", now=now))
    answer_examples.rate(tx, team, reply_id, good=good)
