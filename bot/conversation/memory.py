"""What is remembered of a conversation: append-only, so that the prompt's prefix stays the same and is
served from the provider's cache; when it grows past its budget, or slept longer than that cache lives, one
jump to a summary and the last turns.

How large a conversation is comes from the provider's own count of its last prompt, so no text is counted
twice; what was said since is bounded by its bytes. The rows are storage/conversation/messages.py, the turn is
bot/conversation/turn.py.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.channel.service import AnswerSettings
from bot.conversation.questions import OVERHEARD_CHARACTERS
from bot.conversation.surroundings import PeopleReader, find_names, name_people
from bot.core.access import remembers
from bot.core.errors import AskError, ProviderError, QuestionTooLong
from bot.core.settings import Settings
from bot.core.values import Conversation, File, Incoming, Message, Prompt, Role, Scope
from bot.provider.service import Provider
from bot.text import marks, tokens
from bot.voice import message_clips
from storage.conversation import messages as conversations
from storage.conversation import replies
from storage.conversation.messages import Recalled, Stored
from storage.engine import Engine, Tx

log = logging.getLogger(__name__)

# Asked as the next message of the same conversation, so that all of it is read from the provider's cache.
SUMMARISE = (
    "Write a summary of everything above for whoever has to continue this conversation without having read "
    "it: each person's wishes, names, preferences and instructions, facts, numbers, decisions and open "
    "questions, in their own words where the wording matters. Keep everything that an earlier summary holds. "
    "No introduction, no comment; short sentences. What you were told about persona, length and subject is "
    "for answers, not for this."
)
SUMMARY_TOKENS = 800
# Of a model that reads little: what its answer has at least a claim to, and what a summary may have at most,
# as parts of the whole; what stands in a prompt beside the words; and how far our counts are trusted.
ANSWER_SHARE, SUMMARY_SHARE = 4, 6
ABOUT_TOKENS = 160
SAFE_SHARE = 0.9
# Of a conversation that outgrew its budget by far, so many pieces are summarised before one answer; the rest
# waits for the next, and is left out until then.
MOST_PIECES = 4
# How long a summary that failed is not tried again; twice as long each time.
SUMMARY_PAUSE_S, LONGEST_SUMMARY_PAUSE_S = 300.0, 86_400.0
# Below this many tails, a conversation that slept is cheaper to read again than to summarise.
WORTH_SUMMARISING = 2
# However short they are, more messages than this are summarised: what is read at once has to hold them all.
MOST_MESSAGES = conversations.RECALLED * 3 // 4


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


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a turn starts from.

    `seen`: only so many messages of a longer thread were read; None: all. `left_out`: older turns are missing
    and in no summary, so a count of this prompt says nothing of the conversation; `unsummarised`: because no
    summary could be made of them.
    """

    summary: str = ""
    messages: tuple[Message, ...] = ()
    turns: int = 0
    seen: int | None = None
    left_out: bool = False
    unsummarised: bool = False


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
        self._provider = provider
        self._settings = settings
        self._thread_reader = thread_reader
        self._clock = clock

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
            recalled, left_out = await self._compacted(incoming, recalled, how)
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
        compacted, left_out = await self._compacted(incoming, await self._recalled(incoming), how)
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
        if not self._provider.context_tokens(how.model):
            return found
        room = await self._room(question, how) - spare_tokens
        sizes = [await _count(message.text, how) for message in found.messages]
        summary = await _count(found.summary, how) if found.summary else 0
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

    def budget_tokens(self, how: AnswerSettings) -> int:
        """Tokens that a prompt may have: as the operator says, or as many as a model that reads less has
        beside its answer."""
        limit = self._provider.context_tokens(how.model)
        if not limit:
            return self._settings.memory_tokens
        return min(self._settings.memory_tokens, limit - min(how.max_tokens, limit // ANSWER_SHARE))

    def passage_tokens(self, how: AnswerSettings) -> int:
        """How much of passages a prompt may hold: of a model that reads little, half."""
        budget = self.budget_tokens(how)
        return budget // 2 if self._provider.context_tokens(how.model) else budget

    async def _room(self, question: str, how: AnswerSettings) -> int:
        """What of the budget is left for a conversation, beside what is said and what is always told."""
        told = await _count(how.system, how) + await _count(question, how) + ABOUT_TOKENS
        return int((self.budget_tokens(how) - told) * SAFE_SHARE)

    def _limit(self, recalled: Recalled, how: AnswerSettings) -> int:
        """How many tokens the conversation may have now: fewer when the provider has dropped its prefix."""
        slept = recalled.last_at is not None and self._now() - recalled.last_at > self._settings.cache_life_s
        kept, budget = WORTH_SUMMARISING * self._settings.memory_tail_tokens, self.budget_tokens(how)
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
        messages, left_tokens = messages[-MOST_MESSAGES:], self.budget_tokens(how)
        for index in range(len(messages) - 1, -1, -1):
            left_tokens -= await tokens.counted(messages[index].text, how.model)
            if left_tokens < 0:
                return messages[index + 1 :]
        return messages

    async def _compacted(
        self, incoming: Incoming, recalled: Recalled, how: AnswerSettings
    ) -> tuple[Recalled, bool]:
        """One jump: a summary of all but the last turns takes the place of what it covers, made piece by
        piece. Without one, the last turns alone, and that something is left out."""
        old, tail = await self._split(recalled.messages, how)
        if not old:
            return replace(recalled, messages=tail), False
        pieces = await self._cut_pieces(old, how)
        for piece in pieces[:MOST_PIECES]:
            try:
                recalled = await self._add_to_summary(incoming, recalled, piece, how)
            except (ProviderError, AskError) as exc:
                log.warning("no summary for now, the last turns alone are used: %s", type(exc).__name__)
                return replace(recalled, messages=tail), True
            if recalled.upto < piece[-1].seq:  # something was deleted or changed meanwhile
                return recalled, False
        if len(pieces) > MOST_PIECES:
            return replace(recalled, messages=tail), True
        return recalled, False

    async def _cut_pieces(self, old: tuple[Stored, ...], how: AnswerSettings) -> list[tuple[Stored, ...]]:
        """What is to be summarised, in pieces that are no larger than a prompt may be."""
        room = self._settings.memory_tokens
        if self._provider.context_tokens(how.model):  # beside the summary that a piece is added to
            room = max(1, await self._room(SUMMARISE, how) - self._summary_tokens(how))
        pieces, left_tokens = [list[Stored]()], room
        for message in old:
            size = await tokens.counted(message.text, how.model)
            if pieces[-1] and size > left_tokens:
                pieces.append([])
                left_tokens = room
            left_tokens -= size
            pieces[-1].append(message)
        return list(map(tuple, pieces))

    async def _add_to_summary(
        self, incoming: Incoming, recalled: Recalled, piece: tuple[Stored, ...], how: AnswerSettings
    ) -> Recalled:
        """The conversation with a summary that covers one piece more. ProviderError or AskError without one:
        for a while none is asked for again, each time for longer."""
        key, now = incoming.conversation.key, self._now()
        if now < recalled.summarise_after:
            raise ProviderError("there was no summary a moment ago")
        try:
            text = await self._summary(incoming, recalled, piece, how)
        except (ProviderError, AskError):
            pause_s = min(SUMMARY_PAUSE_S * 2**recalled.failed_summaries, LONGEST_SUMMARY_PAUSE_S)
            await self._engine.write(conversations.put_off_summary, key, until=now + pause_s)
            raise
        await self._engine.write(
            conversations.summarise,
            key,
            text,
            upto=piece[-1].seq,
            tokens=tokens.at_most(text),
            erasures=recalled.erasures,
            now=now,
        )
        return await self._recalled(incoming)

    async def _split(
        self, messages: tuple[Stored, ...], how: AnswerSettings
    ) -> tuple[tuple[Stored, ...], tuple[Stored, ...]]:
        """What is to be summarised, and the last turns, which stay word for word."""
        left_tokens, start = self._settings.memory_tail_tokens, len(messages)
        if self._provider.context_tokens(how.model):
            left_tokens = min(left_tokens, max(0, await self._room("", how)) // 2)
        while start > max(0, len(messages) - MOST_MESSAGES // 2) and left_tokens > 0:
            left_tokens -= await tokens.counted(messages[start - 1].text, how.model)
            start -= int(left_tokens >= 0)
        return messages[:start], messages[start:]

    async def _summary(
        self, incoming: Incoming, recalled: Recalled, old: tuple[Stored, ...], how: AnswerSettings
    ) -> str:
        """Asked as the answers are, of the same model: all but the last message is in its cache. It is paid
        for by whoever wrote most of it, not by who asks next.
        """
        where = incoming.conversation
        old_part = recollection_from(replace(recalled, messages=old), 0)
        names = await find_names(self._thread_reader, self._settings, old_part.messages)
        named = name_people(old_part.messages, names, asker=incoming.user)
        completion = await self._provider.complete(
            Prompt(
                system=how.system,
                summary=old_part.summary,
                messages=(*named, Message("human", SUMMARISE)),
                cache_key=where.key,
            ),
            Scope(where.team, where.channel, find_writer(old), where.key, "summary"),
            model=how.model,
            style=how.style,
            max_output_tokens=self._summary_tokens(how),
        )
        if not completion.text or completion.finish not in ("stop", "length", "cut"):
            raise ProviderError(f"summary ended in {completion.finish}")
        return completion.text

    def _summary_tokens(self, how: AnswerSettings) -> int:
        """How long a summary may be: of a small context it takes its share."""
        return min(SUMMARY_TOKENS, self.budget_tokens(how) // SUMMARY_SHARE)

    def _now(self) -> float:
        return self._clock().timestamp()


async def _count(text: str, how: AnswerSettings) -> int:
    return await tokens.counted(text, how.model) + tokens.MESSAGE_TOKENS


def recollection_from(recalled: Recalled, seen: int | None = None) -> Recollection:
    """Stored rows as what a prompt is made of."""
    messages = tuple(
        Message(
            "human" if m.role == "human" else "assistant",
            m.text,
            m.person if m.role == "human" else "",
            m.whole,
            m.person if m.role == "assistant" else "",
        )
        for m in recalled.messages
    )
    return Recollection(recalled.summary, messages, recalled.turns, seen)


def find_writer(messages: Sequence[Stored]) -> str:
    """Whoever wrote most of some messages, "" for an app; an answer counts for who asked for it."""
    sizes = Counter[str]()
    for message in messages:
        sizes[message.person] += tokens.at_most(message.text)
    return max(sizes, key=lambda person: sizes[person], default="")


def count_bytes(recollection: Recollection) -> int:
    """Bytes of text that a model has to read."""
    return sum(map(tokens.at_most, (recollection.summary, *(m.text for m in recollection.messages))))


def drop_older_half(recollection: Recollection) -> Recollection:
    """Without the older half of its messages; without its summary when there is no message left."""
    kept = recollection.messages[(len(recollection.messages) + 1) // 2 :]
    summary = recollection.summary if recollection.messages else ""
    return replace(recollection, summary=summary, messages=kept, seen=len(kept), left_out=True)


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
            now=now,
        )
    for said in since:
        conversations.append(
            tx, place, role=said.role, message=said.message, person=said.person, text=said.text, now=now
        )
