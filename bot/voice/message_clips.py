"""The turn's first step: recordings in a message become words, and each gets its card in the thread.

Files are fetched, transcribed (bot/voice/recognition.py) and shown one after the other, in the order in which
they were posted. What goes wrong with one is a sentence; the rest of the message is answered all the same. A
clip that an earlier attempt transcribed and showed is neither fetched nor paid for nor shown again. What
people do with a card afterwards is bot/voice/service.py.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bot.core.codec import decode, encode
from bot.core.errors import (
    BotError,
    FileTooLarge,
    Missing,
    ProviderError,
    SetupError,
    SlackRefused,
    SlackUnavailable,
    StorageError,
    UnsupportedFile,
)
from bot.core.ids import card_id
from bot.core.settings import Settings
from bot.core.stoppable import StoppableWork
from bot.core.values import File, Incoming, Scope
from bot.text.marks import END, mark_file, quote, tidy_name
from bot.voice import clip_card as clip
from bot.voice.clip_card import ClipCard
from bot.voice.decoding import Progress
from bot.voice.listening_policy import ListeningPolicy, is_of_no_kind, may_hold_speech, read_policy
from bot.voice.recognition import Recognizer
from bot.voice.transcriber import TranscriptionRequest
from storage.conversation import messages, tombstones
from storage.engine import Engine, Tx
from storage.voice import clips, recordings
from storage.voice.clips import Clip

log = logging.getLogger(__name__)

NOTHING_HEARD = "I heard nothing in {name}."
NO_DECODER = "I was installed without what it takes to listen"
NOT_HERE = "in this channel I listen only to what is said to me"
# Nobody waits for these: they are worth another attempt of the whole.
RETRIED_LATER = (SlackUnavailable, StorageError)


class _NoRecording(Exception):
    """What Slack tells of a file says that nothing is to be heard in it."""

    def __init__(self, file: File) -> None:
        super().__init__(file.id)
        self.file = file


class FileSource(Protocol):
    """Where files come from and cards are shown."""

    async def root(self, asked: Incoming) -> Incoming | None: ...
    async def details(self, file: File) -> File: ...
    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]: ...
    async def show_clip(self, clip: Clip, card: ClipCard, *, look: bool) -> tuple[str, str]: ...


class Written(Protocol):
    """A message with what came along: an `Incoming`, or one that was read in a thread."""

    @property
    def message(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def quoted(self) -> str: ...
    @property
    def files(self) -> Sequence[File]: ...


@dataclass(frozen=True, slots=True)
class ClipWords:
    """What is said in one file. `own`: by the person who posted it, recorded in the client."""

    name: str
    text: str
    own: bool
    file: str = ""  # its id


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """What came of the recordings in a message."""

    words: tuple[ClipWords, ...] = ()
    notes: tuple[str, ...] = ()  # what did not work, in sentences
    failed: ProviderError | None = None  # the first failure that another try may mend
    known: tuple[File, ...] = ()  # what was learned of files since they were announced
    others: tuple[File, ...] = ()  # that are no recordings

    def with_text(self, text: str) -> str:
        """What the person said, in writing and aloud; what may be said by others stands under a mark with
        its file's name."""
        if not text and len(self.words) == 1 and self.words[0].own:
            return self.words[0].text
        return "\n\n".join(filter(None, [text, *map(_format_words, self.words)]))

    def in_full(self, written: Written) -> str:
        """All of a message as a model reads it: what its author said, what came along from others, and the
        names of files that were not read."""
        heard = {each.file for each in self.words}
        unread = (file for file in self.add_names(written.files) if file.id not in heard)
        names = "\n".join(mark_file(file.name, file.size_bytes, file.kind, read=file.read) for file in unread)
        quoted = f"{written.quoted}\n{END}" if written.quoted else ""
        return "\n\n".join(filter(None, (self.with_text(written.text), quoted, names)))

    def add_names(self, files: Sequence[File]) -> tuple[File, ...]:
        """The files, as they are known since: by the names that Slack told when it was asked, and whether
        they were read."""
        known = {file.id: file for file in self.known}
        return tuple(known.get(file.id, file) for file in files)


def _format_words(heard: ClipWords) -> str:
    if heard.own:
        return f"[{tidy_name(heard.name)}]\n{heard.text}"
    return f"{quote(f'recording: {tidy_name(heard.name)}', heard.text)}\n{END}"


class MessageClips:
    """Transcribes the recordings shared in a conversation and shows what they say."""

    def __init__(
        self, settings: Settings, engine: Engine, recognizer: Recognizer, source: FileSource
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._recognizer = recognizer
        self._source = source

    async def transcribe_files(
        self, incoming: Incoming, *, progress: Progress | None = None, goes_on: bool = False
    ) -> SpokenWords:
        """Every recording in a message, as far as the channel lets us hear it.

        Who calls us into a thread that we have not been in asks about what it began with, too; what is said
        there is recalled with the thread. `goes_on`: it is a further post of a question that began there.
        Missing: the message was deleted meanwhile.
        """
        place = incoming.conversation
        policy = await self._engine.read(read_policy, self._settings, place.team, place.channel)
        about = SpokenWords() if goes_on else await self._read_thread_start(incoming, policy, progress)
        spoken = await self._files(incoming, policy, progress)
        return replace(spoken, notes=(*about.notes, *spoken.notes), failed=about.failed or spoken.failed)

    async def translate(self, clip: Clip, scope: Scope) -> None:
        """English beside the words of a clip; its recording is fetched once more where they come from it.

        Missing, ProviderError, and UnsupportedFile when the recording is not there any more.
        """
        card = await self._recognizer.read_card(clip.recording)
        if not self._recognizer.hears_english(card):
            await self._recognizer.translate_card(clip.recording, scope)
            return
        asked = decode(clip.asked)
        file = next((file for file in asked.files if card_id(asked, file) == clip.id), None)
        if file is None:
            raise UnsupportedFile(card.name, "it is not there any more")
        if file.stub or not file.url:
            file = await self._source.details(file)
        async with self._source.fetched(file) as path:
            await self._recognizer.translate_recording(clip.recording, path, scope)

    async def _read_thread_start(
        self, incoming: Incoming, policy: ListeningPolicy, progress: Progress | None
    ) -> SpokenWords:
        """What is said in it; nothing when it is deleted meanwhile."""
        began = await self._thread_start(incoming)
        try:
            return await self._files(began, policy, progress) if began else SpokenWords()
        except Missing:
            return SpokenWords()

    async def _thread_start(self, incoming: Incoming) -> Incoming | None:
        """The first message of a thread into which we are called, when there may be something to hear."""
        if not called_into_thread(incoming):
            return None
        recalled = await self._engine.read(messages.recall, incoming.conversation.key, limit=1)
        began = await self._source.root(incoming) if recalled.untouched else None
        return began if began and any(map(may_hold_speech, began.files)) else None

    async def _files(
        self, incoming: Incoming, policy: ListeningPolicy, progress: Progress | None
    ) -> SpokenWords:
        spoken = SpokenWords()
        for file in incoming.files:
            spoken = await self._file(spoken, incoming, file, policy, progress)
        return spoken

    async def _file(
        self,
        spoken: SpokenWords,
        incoming: Incoming,
        file: File,
        policy: ListeningPolicy,
        progress: Progress | None,
    ) -> SpokenWords:
        """With one more file, or the sentence why not."""
        if not may_hold_speech(file):
            return replace(spoken, others=(*spoken.others, file))
        try:
            card = await self._card(incoming, file, policy, progress)
        except RETRIED_LATER:
            raise
        except _NoRecording as exc:
            return replace(spoken, others=(*spoken.others, exc.file))
        except BotError as exc:
            if isinstance(exc, UnsupportedFile) and is_of_no_kind(file):
                return replace(spoken, others=(*spoken.others, file))
            log.info("a file of %s is not transcribed: %s", incoming.key, type(exc).__name__)
            failed = exc if isinstance(exc, ProviderError) and exc.retry else None
            if not file.name and isinstance(exc, UnsupportedFile | FileTooLarge):
                spoken = replace(spoken, known=(*spoken.known, replace(file, name=exc.name)))
            return replace(spoken, notes=(*spoken.notes, exc.notice), failed=spoken.failed or failed)
        if not card.has_words:
            note = " ".join(filter(None, (NOTHING_HEARD.format(name=card.name), card.what_is_missing)))
            return replace(spoken, notes=(*spoken.notes, note))
        words = ClipWords(card.name, card.text_for_model, file.voice, file.id)
        return replace(spoken, words=(*spoken.words, words))

    async def _card(
        self, incoming: Incoming, file: File, policy: ListeningPolicy, progress: Progress | None
    ) -> ClipCard:
        """The card of one file, which stands in the thread when this returns, if there is anything on it."""
        id = card_id(incoming, file)
        known = await self._engine.read(clips.find, id)
        if known and known.shown and (card := await self._find_card(known)):
            return card
        if file.stub or not file.url:
            file = await self._source.details(file)
        if not may_hold_speech(file):
            raise _NoRecording(file)
        if not policy.allows(incoming):
            raise UnsupportedFile(file.name, NOT_HERE)
        card = await self._transcribe_file(incoming, file, policy, progress)
        if card.has_words:
            await self._show(_make_clip(id, incoming, card), card)
        return card

    async def _find_card(self, clip: Clip) -> ClipCard | None:
        try:
            return await self._recognizer.read_card(clip.recording)
        except Missing:
            return None

    async def _transcribe_file(
        self, incoming: Incoming, file: File, policy: ListeningPolicy, progress: Progress | None
    ) -> ClipCard:
        request = TranscriptionRequest(
            file.name,
            transcription_scope(incoming),
            spoken=policy.spoken,
            vocabulary=policy.words,
            english=self._settings.voice_english == "always",
            progress=progress,
            message=incoming.message,
        )
        try:
            async with self._source.fetched(file) as path:
                return await self._recognizer.recognize(path, request)
        except SetupError as exc:
            log.error("%s", exc)
            raise UnsupportedFile(file.name, NO_DECODER) from exc

    async def _show(self, clip: Clip, card: ClipCard) -> None:
        """Puts the card into the thread once. In a thread that is closed to us it is left out."""
        new = await self._engine.write(put_clip, clip)
        try:
            shown, file = await self._source.show_clip(clip, card, look=not new)
        except SlackRefused as exc:
            log.info("clip %s is not shown: %s", clip.id, exc.code)
            return
        await self._engine.write(clips.mark_shown, clip.id, shown, file)


class RunningRecognition(StoppableWork[SpokenWords]):
    """The work on a message's recordings while it runs. Parts that were transcribed are kept when it ends."""


def called_into_thread(incoming: Incoming) -> bool:
    """Mentioned in a thread that began without the mention."""
    return incoming.mentioned and incoming.message != incoming.conversation.thread


def read_in_full(tx: Tx, team: str, channel: str, written: Written) -> str:
    """All of a message as a model reads it, with what is kept of its recordings, as they are now."""
    words = (_read_words(tx, kept) for kept in clips.of_message(tx, team, channel, written.message))
    return SpokenWords(tuple(filter(None, words))).in_full(written)


def _read_words(tx: Tx, kept: Clip) -> ClipWords | None:
    stored = recordings.card(tx, kept.recording)
    if stored is None:
        return None
    card, asked = clip.load_card(stored), decode(kept.asked)
    file = next((file for file in asked.files if card_id(asked, file) == kept.id), None)
    return ClipWords(card.name, card.text_for_model, bool(file and file.voice), file.id if file else "")


def transcription_scope(incoming: Incoming) -> Scope:
    where = incoming.conversation
    return Scope(where.team, where.channel, incoming.user, where.key, "transcription")


def put_clip(tx: Tx, clip: Clip) -> bool:
    """Whether nobody can have shown it yet. Missing: the message was deleted while we listened."""
    tombstones.lock(tx, clip.team, clip.channel, clip.message)
    if tombstones.forgotten(tx, clip.team, clip.channel, clip.message):
        raise Missing(f"message of clip {clip.id}")
    return clips.put(tx, clip)


def _make_clip(id: str, incoming: Incoming, card: ClipCard) -> Clip:
    place = incoming.conversation
    return Clip(
        id=id,
        recording=card.id,
        team=place.team,
        channel=place.channel,
        conversation=place.key,
        message=incoming.message,
        person=incoming.user,
        asked=encode(incoming),
    )
