"""Summaries of what was said, which take the place of old turns when a conversation grows or has slept.

They are made in pieces no larger than a prompt, asked of the model that answers; one that failed is not tried
again for a while.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.channel.service import AnswerSettings
from bot.conversation.prompt_room import PromptRoom
from bot.conversation.recollection import recollection_from
from bot.conversation.surroundings import PeopleReader, find_names, name_people
from bot.core.errors import AskError, ProviderError
from bot.core.settings import Settings
from bot.core.values import Incoming, Message, Prompt, Scope
from bot.provider.service import Provider
from bot.text import tokens
from storage.conversation import messages as conversations
from storage.conversation import summaries
from storage.conversation.messages import Recalled, Stored
from storage.engine import Engine

log = logging.getLogger(__name__)

# Asked as the next message of the same conversation, so that all of it is read from the provider's cache.
SUMMARISE = (
    "Write a summary of everything above for whoever has to continue this conversation without having read "
    "it: each person's wishes, names, preferences and instructions, facts, numbers, decisions and open "
    "questions, in their own words where the wording matters. Keep everything that an earlier summary holds. "
    "No introduction, no comment; short sentences. What you were told about persona, length and subject is "
    "for answers, not for this."
)
# Of a conversation that outgrew its budget by far, so many pieces are summarised before one answer; the rest
# waits for the next, and is left out until then.
MOST_PIECES = 4
# How long a summary that failed is not tried again; twice as long each time.
SUMMARY_PAUSE_S, LONGEST_SUMMARY_PAUSE_S = 300.0, 86_400.0
# However short they are, more messages than this are summarised: what is read at once has to hold them all.
MOST_MESSAGES = conversations.RECALLED * 3 // 4


class Summaries:
    """Shortens conversations."""

    def __init__(
        self,
        engine: Engine,
        provider: Provider,
        settings: Settings,
        people: PeopleReader,
        room: PromptRoom,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._provider = provider
        self._settings = settings
        self._people = people
        self._room = room
        self._clock = clock

    async def compact(
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
        if self._room.is_small(how):  # beside the summary that a piece is added to
            room = max(1, await self._room.beside(SUMMARISE, how) - self._room.summary_tokens(how))
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
            await self._engine.write(summaries.put_off_summary, key, until=now + pause_s)
            raise
        await self._engine.write(
            summaries.summarise,
            key,
            text,
            upto=piece[-1].seq,
            tokens=tokens.at_most(text),
            erasures=recalled.erasures,
            now=now,
        )
        return await self._engine.read(conversations.recall, key)

    async def _split(
        self, messages: tuple[Stored, ...], how: AnswerSettings
    ) -> tuple[tuple[Stored, ...], tuple[Stored, ...]]:
        """What is to be summarised, and the last turns, which stay word for word."""
        left_tokens, start = self._settings.memory_tail_tokens, len(messages)
        if self._room.is_small(how):
            left_tokens = min(left_tokens, max(0, await self._room.beside("", how)) // 2)
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
        names = await find_names(self._people, self._settings, old_part.messages)
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
            max_output_tokens=self._room.summary_tokens(how),
        )
        if not completion.text or completion.finish not in ("stop", "length", "cut"):
            raise ProviderError(f"summary ended in {completion.finish}")
        return completion.text

    def _now(self) -> float:
        return self._clock().timestamp()


def find_writer(messages: Sequence[Stored]) -> str:
    """Whoever wrote most of some messages, "" for an app; an answer counts for who asked for it."""
    sizes = Counter[str]()
    for message in messages:
        sizes[message.person] += tokens.at_most(message.text)
    return max(sizes, key=lambda person: sizes[person], default="")
