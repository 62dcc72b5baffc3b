"""What is remembered of a conversation: append-only, so that the prompt's prefix stays the same and is
served from the provider's cache; when it grows past its budget, or slept longer than that cache lives, one
jump to a summary and the last turns.

How large a conversation is comes from the provider's own count of its last prompt, so no text is counted
twice; what was said since is bounded by its bytes. The rows are storage/conversation/messages.py, the turn is
bot/conversation/turn.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.channel.service import AnswerSettings
from bot.conversation.prompt_room import PromptRoom
from bot.conversation.questions import OVERHEARD_CHARACTERS
from bot.conversation.recollection import Recollection, count_bytes, drop_older_half, recollection_from
from bot.conversation.summaries import MOST_MESSAGES, Summaries
from bot.conversation.surroundings import PeopleReader
from bot.core.access import remembers
from bot.core.codec import encode_files
from bot.core.errors import QuestionTooLong
from bot.core.settings import Settings
from bot.core.values import Conversation, File, Incoming, Role
from bot.provider.service import Provider
from bot.text import marks, tokens
from bot.voice import message_clips
from storage.conversation import messages as conversations
from storage.conversation import replies
from storage.conversation.messages import Recalled
from storage.engine import Engine, Tx

# Below this many tails, a conversation that slept is cheaper to read again than to summarise.
WORTH_SUMMARISING = 2


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message of somebody else's thread, as it was read there: what its author wrote, what came along
    from others (all of it, where an app wrote it), and files."""

    message: str
    role: Role
    person: str
    text: str
    quoted: str = ""
    files: tuple[File, ...] = ()


class ThreadReader(PeopleReader, Protocol):
    """What can be seen around a message."""

    async def thread(self, conversation: Conversation, *, before: str) -> tuple[list[ThreadMessage], bool]:
        """The thread before a message, oldest first, and whether that is all of it."""


class Memory:
    """Recalls a conversation within the prompt budget."""

    def __init__(
        self,
        engine: Engine,
        provider: Provider,
        settings: Settings,
        thread_reader: ThreadReader,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._thread_reader = thread_reader
        self._clock = clock
        self.room = PromptRoom(provider, settings)
        self._summaries = Summaries(engine, provider, settings, thread_reader, self.room, clock=clock)

    async def recall(self, incoming: Incoming, how: AnswerSettings) -> Recollection:
        """The conversation before a message, summarised when it is too long or has slept too long.

        Nothing of it where another company reads along.
        """
        if not remembers(incoming, self._settings):
            return Recollection(turns=await self._count_turns(incoming, await self._recalled(incoming)))
        recalled, seen, left_out = await self._recalled(incoming), None, False
        if await self._is_new(incoming, recalled):
            recalled, seen = await self._read_thread(incoming, how)
        if await self._too_large(recalled, incoming.text, how):
            recalled, left_out = await self._summaries.compact(incoming, recalled, how)
        turns = await self._count_turns(incoming, recalled)
        found = recollection_from(recalled, seen)
        found = replace(found, turns=turns, left_out=left_out, unsummarised=left_out)
        return await self.fit(found, incoming.text, how)

    async def shorten(self, incoming: Incoming, sent: Recollection, how: AnswerSettings) -> Recollection:
        """The conversation again, strictly shorter than what the model said was too long for it.

        QuestionTooLong when nothing is left to leave out.
        """
        if not remembers(incoming, self._settings):
            raise QuestionTooLong("the question alone is too long")
        compacted, left_out = await self._summaries.compact(incoming, await self._recalled(incoming), how)
        shorter = replace(recollection_from(compacted, sent.seen), left_out=left_out, unsummarised=left_out)
        shorter = await self.fit(shorter, incoming.text, how)
        while count_bytes(shorter) >= count_bytes(sent):
            if not shorter.messages and not shorter.summary:
                raise QuestionTooLong("the question alone is too long")
            shorter = drop_older_half(shorter)
        return shorter

    async def fit(
        self, found: Recollection, question: str, how: AnswerSettings, *, spare_tokens: int = 0
    ) -> Recollection:
        """The conversation without its oldest messages, as far as the model is known to have no room for
        them beside the question and `spare_tokens` of something else."""
        if not self.room.is_small(how):
            return found
        room = await self.room.beside(question, how) - spare_tokens
        sizes = [await self.room.count(message.text, how) for message in found.messages]
        summary = await self.room.count(found.summary, how) if found.summary else 0
        dropped = 0
        while dropped < len(sizes) and summary + sum(sizes[dropped:]) > room:
            dropped += 1
        if not dropped and summary <= room:
            return found
        kept = found.messages[dropped:]
        seen = len(kept) if dropped else found.seen
        return replace(
            found, summary=found.summary if summary <= room else "", messages=kept, seen=seen, left_out=True
        )

    def _limit(self, recalled: Recalled, how: AnswerSettings) -> int:
        """How many tokens the conversation may have now: fewer when the provider has dropped its prefix."""
        slept = recalled.last_at is not None and self._now() - recalled.last_at > self._settings.cache_life_s
        kept, budget = WORTH_SUMMARISING * self._settings.memory_tail_tokens, self.room.budget_tokens(how)
        return min(kept, budget) if slept else budget

    async def _too_large(self, recalled: Recalled, question: str, how: AnswerSettings) -> bool:
        """Cheap bounds decide mostly: the provider's last count, and the bytes of what came since."""
        if len(recalled.messages) > MOST_MESSAGES:
            return True
        limit = self._limit(recalled, how)
        count, uncounted = recalled.summary_tokens, list[str]()
        for message in recalled.messages:
            # An answer's count covers everything before it, unless that has been summarised since.
            if message.role == "assistant" and message.tokens and message.at > recalled.summarised_at:
                count, uncounted = message.tokens, []
            else:
                uncounted.append(message.text)
        uncounted.append(question)
        if count + sum(map(tokens.at_most, uncounted)) <= limit:
            return False
        for text in uncounted:
            count += await tokens.counted(text, how.model)
        return count > limit

    async def _recalled(self, incoming: Incoming) -> Recalled:
        return await self._engine.read(conversations.recall, incoming.conversation.key)

    async def _is_new(self, incoming: Incoming, recalled: Recalled) -> bool:
        """Whether a thread was there before we were asked in it, so that it has to be read."""
        place = incoming.conversation
        if incoming.message == place.thread:
            return False
        if recalled.untouched or not place.whole:
            return recalled.untouched
        alone = await self._engine.read(conversations.recall, replace(place, whole=False).key, limit=1)
        return alone.untouched and not await self._engine.read(replies.count_in_thread, place)

    async def _count_turns(self, incoming: Incoming, recalled: Recalled) -> int:
        """Answers in the thread, which has an end where its conversation has none."""
        place = incoming.conversation
        return await self._engine.read(replies.count_in_thread, place) if place.whole else recalled.turns

    async def _read_thread(self, incoming: Incoming, how: AnswerSettings) -> tuple[Recalled, int | None]:
        """Somebody else's thread into which the bot was called: read once, then remembered like our own."""
        found, complete = await self._thread_reader.thread(incoming.conversation, before=incoming.message)
        spoken = await self._engine.read(with_spoken_words, incoming.conversation, found)
        kept = await self._newest(spoken, how)
        await self._engine.write(remember_thread, incoming.conversation, kept, now=self._now())
        whole = complete and len(kept) == len(spoken)
        return await self._recalled(incoming), None if whole else len(kept)

    async def _newest(
        self, messages: Sequence[ThreadMessage], how: AnswerSettings
    ) -> Sequence[ThreadMessage]:
        """As many of the last messages as the prompt budget holds."""
        messages, left_tokens = messages[-MOST_MESSAGES:], self.room.budget_tokens(how)
        for index in range(len(messages) - 1, -1, -1):
            left_tokens -= await tokens.counted(messages[index].text, how.model)
            if left_tokens < 0:
                return messages[index + 1 :]
        return messages

    def _now(self) -> float:
        return self._clock().timestamp()


def with_spoken_words(tx: Tx, place: Conversation, found: Sequence[ThreadMessage]) -> list[ThreadMessage]:
    """Messages that say something, in writing or in recordings, as far as they are kept."""

    def in_full(m: ThreadMessage) -> ThreadMessage:
        if m.role != "human":
            return m
        text = message_clips.read_in_full(tx, place.team, place.channel, m)
        return replace(m, text=marks.cut_rest(text, OVERHEARD_CHARACTERS))

    return [m for m in map(in_full, found) if m.text]


def remember_thread(tx: Tx, place: Conversation, found: Sequence[ThreadMessage], *, now: float) -> None:
    """Takes over messages of a thread that was there before us.

    What was said in it since the question is remembered already, and stands behind them. Of other threads in
    the same conversation it was said before.
    """
    tx.lock(place.key)
    since = () if place.whole else conversations.recall(tx, place.key).messages
    for said in since:
        conversations.retract(tx, place.team, place.channel, said.message)
    for message in found:
        conversations.append(
            tx,
            place,
            role=message.role,
            message=message.message,
            person=message.person,
            text=message.text,
            files=encode_files(message.files),
            now=now,
        )
    for said in since:
        conversations.append(
            tx,
            place,
            role=said.role,
            message=said.message,
            person=said.person,
            text=said.text,
            files=said.files,
            now=now,
        )
