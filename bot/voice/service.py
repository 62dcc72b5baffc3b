"""Clips apart from their turn: transcribed where nobody turned to Parley, corrected, translated, forgotten.

A clip that nobody asked us to hear is a job of its own kind, beside its conversation: it makes Parley no part
of the thread. If it is spoken to Parley, the message becomes a question like any other. What was forgotten is
erased here at once and taken out of Slack by another job, however often that takes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.core.access import remembers, why_closed
from bot.core.codec import decode, encode
from bot.core.errors import Missing, NotPermitted
from bot.core.ids import card_id, reply_id
from bot.core.settings import Settings
from bot.core.values import Conversation, Incoming, Scope
from bot.jobs.inbox import Inbox, Job
from bot.provider.fair_share import in_background
from bot.voice import message_clips
from bot.voice.clip_card import ClipCard, Traces
from bot.voice.listening_policy import ListeningPolicy, check_wish, may_hold_speech, read_policy
from bot.voice.message_clips import MessageClips, RunningRecognition
from bot.voice.recognition import Recognizer, is_addressed
from bot.workers.alone import alone
from storage.channel import preferences
from storage.conversation import messages, tombstones
from storage.engine import Engine, Tx
from storage.jobs import queries
from storage.jobs.inbox import Effect
from storage.voice import clips
from storage.voice.clips import Clip
from storage.workers import at_work, mailbox

log = logging.getLogger(__name__)

NAME = "Parley"  # by which it is spoken to
UNASKED, TAKEN_AWAY = "clip", "card"  # kinds of jobs
RECOGNITION = "recognition"  # the topic of what other processes tell: the text is the key of a message
ONLY_OWNER_CORRECTS, ONLY_OWNER_FORGETS = (
    "only the person whose clip it is can correct it",
    "only the person whose clip it is can do that",
)


class CardView(message_clips.FileSource, Protocol):
    """Where cards are shown, and what becomes of them there."""

    async def change_clip(self, clip: Clip, card: ClipCard) -> str: ...
    async def take_away(self, traces: Traces) -> None: ...


class Clips:
    """What people do with clips, and clips that are transcribed without a question. One per process."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        inbox: Inbox,
        clips: MessageClips,
        recognizer: Recognizer,
        cards: CardView,
        *,
        ask: Callable[[Incoming], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._inbox = inbox
        self._message_clips = clips
        self._recognizer = recognizer
        self._cards = cards
        self._ask = ask  # takes a question in
        self._clock = clock
        self._running: dict[str, RunningRecognition] = {}  # by the key of the job
        self._translating: set[str] = set()

    # Clips nobody asked about

    async def transcribe_unasked(self, incoming: Incoming) -> None:
        """A message that is not for us: its clips are transcribed where the channel wants all."""
        if not any(map(may_hold_speech, incoming.files)):
            return
        place = incoming.conversation
        await self._inbox.put(
            unasked_key(incoming.key),
            f"{UNASKED}:{place.key}",
            UNASKED,
            encode(incoming),
            team=place.team,
            person=incoming.user,
            when=partial(_wants_unasked, self._settings, incoming),
        )

    async def work(self, job: Job) -> list[Effect]:
        """A job of one of our kinds."""
        if job.kind == TAKEN_AWAY:
            await self._cards.take_away(Traces(**json.loads(job.payload)))
        else:
            await self._transcribe_unasked(job.key, decode(job.payload))
        return []

    async def _transcribe_unasked(self, key: str, incoming: Incoming) -> None:
        place = incoming.conversation
        age_s = (self._clock() - incoming.sent_at).total_seconds()
        gone = await self._engine.read(tombstones.forgotten, place.team, place.channel, incoming.message)
        if gone or age_s > self._settings.message_age_limit_s:
            return
        with in_background():
            recognition = RunningRecognition(self._message_clips.transcribe_files(incoming))
        self._running[key] = recognition
        try:
            spoken = await recognition.result()
        except Missing:  # its deletion, which another process received, has not been heard of here
            spoken = None
        finally:
            del self._running[key]
        gone = await self._engine.read(tombstones.forgotten, place.team, place.channel, incoming.message)
        if spoken is None or gone:  # deleted
            await self._engine.write(clips.forget_unshown, place.team, place.key, incoming.user)
            await self._engine.scrub()
            return
        if spoken.failed:
            raise spoken.failed
        if spoken.words and is_addressed(spoken.words[0].text, NAME):
            await self._ask(replace(incoming, mentioned=True))

    # What people do with a card

    async def read_card(self, id: str, user: str) -> ClipCard:
        """The card, for the person whose words are on it. NotPermitted, Missing."""
        clip = await self._own_clip(id, user, ONLY_OWNER_CORRECTS)
        return await self._recognizer.read_card(clip.recording)

    async def correct_clip(self, id: str, user: str, text: str, *, asking: str) -> None:
        """Another text takes the place of the transcript, and the question is asked again.

        `asking` tells one correction from another. NotPermitted, Missing.
        """
        clip = await self._own_clip(id, user, ONLY_OWNER_CORRECTS)
        await self._recognizer.correct_card(clip.recording, text)
        asked = decode(clip.asked)
        words = await self._engine.write(_retract_turn, clip, asked)
        again = replace(
            asked, key=f"{asked.key}:{asking}", text=words, quoted="", files=(), sent_at=self._clock()
        )
        await self._ask(again)
        await self._show(clip)

    async def translate_clip(self, id: str, user: str) -> None:
        """English beside the words; asking again while it is made changes nothing. Missing, ProviderError."""
        clip = await self._engine.read(clips.get, id)
        if id in self._translating:
            return
        self._translating.add(id)
        try:
            async with alone(self._engine, f"translation {id}") as mine:
                if not mine:
                    return
                scope = Scope(clip.team, clip.channel, user, clip.conversation, "translation")
                await self._message_clips.translate(clip, scope)
        finally:
            self._translating.discard(id)
        await self._show(clip)

    async def forget_clip(self, id: str, user: str) -> None:
        """Erases the words of one clip, here and in Slack. NotPermitted, Missing."""
        clip = await self._own_clip(id, user, ONLY_OWNER_FORGETS)
        await self._forget(clip, by=user)
        await self._engine.write(_update_text, clip, now=self._now())
        await self._engine.scrub()

    async def forget_message(self, key: str, team: str, channel: str, message: str, *, by: str = "") -> None:
        """The message was deleted, or is to be forgotten: its transcription ends, its transcripts
        are erased. `by` "": Slack does not tell who deleted it."""
        if recognition := self._running.get(unasked_key(key)):
            await recognition.aclose()
        elif self._engine.shared:
            await self._engine.write(_tell_deleted, key, me=self._engine.worker)
        found = await self._engine.read(clips.of_message, team, channel, message)
        await self._forget_all(found, by=by)
        asked = await self._engine.write(clips.forget_unshown_of, key)
        passing = await self._engine.write(clips.forget_unshown_of, unasked_key(key), lane=f"{UNASKED}:")
        if found or asked or passing:
            await self._engine.scrub()

    async def hear_deleted(self, key: str) -> None:
        """Another process heard that a message was deleted, or is to be forgotten."""
        if recognition := self._running.get(unasked_key(key)):
            await recognition.aclose()

    async def forget_thread(self, conversation: Conversation, *, by: str) -> None:
        """Every clip in a thread, here and in Slack."""
        await self._forget_all(await self._engine.read(clips.of_conversation, conversation.key), by=by)

    async def forget_person(self, team: str, user: str, *, by: str) -> None:
        """Every clip of a person, here and in Slack."""
        await self._forget_all(await self._engine.read(clips.of_person, team, user), by=by)

    async def _own_clip(self, id: str, user: str, why: str) -> Clip:
        clip = await self._engine.read(clips.get, id)
        if clip.person != user:
            raise NotPermitted(why)
        return clip

    async def _show(self, clip: Clip) -> None:
        card = await self._recognizer.read_card(clip.recording)
        if clip.shown:
            shown, file = clip.shown, await self._cards.change_clip(clip, card)
        else:  # whoever put it there died before that was written down
            shown, file = await self._cards.show_clip(clip, card, look=True)
        await self._engine.write(clips.mark_shown, clip.id, shown, file)

    async def _forget_all(self, found: list[Clip], *, by: str) -> None:
        for clip in found:
            await self._forget(clip, by=by)

    async def _forget(self, clip: Clip, *, by: str) -> None:
        """Erased here and, in the same moment, due to be taken out of Slack."""
        thread = decode(clip.asked).conversation.thread
        traces = Traces(clip.id, clip.channel, thread, clip.message, clip.shown, clip.file)
        await self._inbox.put(
            f"{TAKEN_AWAY}:{clip.id}:{clip.shown}",
            f"{TAKEN_AWAY}:{clip.conversation}",
            TAKEN_AWAY,
            encode(traces),
            when=partial(_erase_clip, clip, by=by, now=self._now()),
        )

    # What a channel wants

    async def read_policy(self, team: str, channel: str) -> ListeningPolicy:
        return await self._engine.read(read_policy, self._settings, team, channel)

    async def set_wish(self, team: str, channel: str, name: str, value: str, *, user: str) -> None:
        """One setting of a channel: listen, languages or words. NotUnderstood."""
        value = check_wish(name, value)
        await self._engine.write(preferences.wish, team, channel, name, value, person=user, now=self._now())

    def _now(self) -> float:
        return self._clock().timestamp()


def unasked_key(key: str) -> str:
    """The key of the job that transcribes the clips of a message that is not for us."""
    return f"{UNASKED}:{key}"


def _tell_deleted(tx: Tx, key: str, *, me: int) -> None:
    """Whoever transcribes a message's clips in passing, elsewhere, is to end that."""
    for found in at_work.list_on_post(tx, unasked_key(key), me=me):
        mailbox.put(tx, found.worker, RECOGNITION, key)


def _wants_unasked(settings: Settings, incoming: Incoming, tx: Tx) -> bool:
    """The channel wants every clip transcribed, and this one is not transcribed as a question anyway."""
    if why_closed(incoming, settings) or not remembers(incoming, settings):
        return False
    place = incoming.conversation
    wanted = read_policy(tx, settings, place.team, place.channel).listen == "every"
    return wanted and not queries.list_keys(tx, incoming.key)


def _erase_clip(clip: Clip, tx: Tx, *, by: str, now: float) -> bool:
    clips.forget(tx, clip, by=by, now=now)
    return True


def _retract_turn(tx: Tx, clip: Clip, asked: Incoming) -> str:
    """Nothing is remembered of a question that was misheard, nor of its answers; its words now."""
    messages.retract(tx, clip.team, clip.channel, clip.message)
    for key in queries.list_keys(tx, asked.key):
        messages.retract_answer(tx, clip.team, clip.channel, asked.message, reply_id(key))
    return message_clips.read_in_full(tx, clip.team, clip.channel, asked)


def _update_text(tx: Tx, clip: Clip, *, now: float) -> None:
    """What is remembered of a message follows its clips; of a forgotten one not even the name stays."""
    asked = decode(clip.asked)
    asked = replace(asked, files=tuple(file for file in asked.files if card_id(asked, file) != clip.id))
    text = message_clips.read_in_full(tx, clip.team, clip.channel, asked)
    if text:
        messages.edit(tx, clip.team, clip.channel, clip.message, text, now=now)
    else:
        messages.delete(tx, clip.team, clip.channel, clip.message, now=now)
