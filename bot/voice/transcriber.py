"""Transcribing the parts of one recording: in parallel, none of them twice, joined to one whole.

A part is stored in the moment its text came, with its cost; whoever resumes after a crash asks only for the
others. Parts without any sound are never sent. Decoding and cutting came before
(bot/voice/decoder_process.py); the caps, the card and the English text come after (bot/voice/recognition.py).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeVar

from bot.core.errors import ModelMissing
from bot.core.settings import Settings
from bot.core.values import Scope, Usage
from bot.costs.pricing import nano, usd
from bot.provider.reported_usage import read_usage
from bot.voice import speech_models, stitching
from bot.voice.decoding import LEAST_SOUND_S, Part, Progress, Recording, seconds_of_sound
from bot.voice.transcript import Segment, Transcript, read_transcript
from storage.engine import Engine
from storage.voice import recordings
from storage.voice.recordings import Owner, StoredPart

T = TypeVar("T")
Task = Literal["transcribe", "translate"]
Price = Callable[[str, Usage], Decimal | None]


class SpeechModel(Protocol):
    """A speech model: the provider, or one on this machine. Returns the model's JSON."""

    def pick_model(self, model: str) -> str:
        """The one to ask: itself, or who answers for it since it has ended."""
        ...

    async def transcribe(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]: ...

    async def translate(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """What is wanted of a recording. `spoken` are codes of languages (none: detected)."""

    name: str  # as its owner calls it
    scope: Scope
    spoken: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    english: bool = False  # a translation too
    progress: Progress | None = None  # seconds listened to, of seconds in all
    message: str = ""  # with which it was shared; when that is forgotten, no word of it is kept

    @property
    def owner(self) -> Owner:
        scope = self.scope
        return Owner(scope.team, scope.conversation, scope.user, scope.channel, self.message)


class Transcriber:
    """Asks the speech model, and remembers what it said."""

    def __init__(self, settings: Settings, engine: Engine, speech_model: SpeechModel, price: Price) -> None:
        self._configured = settings.speech_model
        self._engine = engine
        self._speech_model = speech_model
        self._price = price
        self._requests = asyncio.Semaphore(settings.voice_parallel)

    async def transcribe_parts(
        self, task: Task, id: str, recording: Recording, request: TranscriptionRequest
    ) -> tuple[Transcript, Decimal | None]:
        """All parts, in parallel within a bound, those that were transcribed before from storage."""
        stored = await self._engine.read(recordings.parts, id, task)
        work = _PartsAtWork(task, id, recording, request, stored)
        work.report_progress()
        await gather_all([self._part(work, number, part) for number, part in enumerate(recording.parts)])
        costs = [None if part.cost is None else usd(part.cost) for part in work.done.values()]
        transcripts = [_load_part(work.done[number].heard) for number in sorted(work.done)]
        parts = [recording.parts[number] for number in sorted(work.done)]
        return _join_parts(parts, transcripts), total_cost(costs)

    async def _part(self, work: _PartsAtWork, number: int, part: Part) -> None:
        """Transcribes one part and stores its text, unless it is done, silent, or another one failed."""
        if (
            number in work.done
            or seconds_of_sound(work.recording.sounds, part.start_s, part.end_s) < LEAST_SOUND_S
        ):
            return
        async with self._requests:
            if work.failed:
                return
            try:
                done = await self._ask(work, number, part)
            except BaseException:
                work.failed = True
                raise
        await self._engine.write(recordings.put_part, work.id, work.request.owner, work.task, done)
        work.done[number] = done
        work.report_progress()

    async def _ask(self, work: _PartsAtWork, number: int, part: Part) -> StoredPart:
        model = self._speech_model.pick_model(self._configured)
        try:
            return await self._ask_model(model, work, number, part)
        except ModelMissing:
            follower = self._speech_model.pick_model(self._configured)
            if follower == model:
                raise
            return await self._ask_model(follower, work, number, part)

    async def _ask_model(self, model: str, work: _PartsAtWork, number: int, part: Part) -> StoredPart:
        audio = await asyncio.to_thread(part.path.read_bytes)
        family = speech_models.lookup(model)
        parameters = speech_models.parameters(
            family, languages=work.request.spoken, vocabulary=work.request.vocabulary
        )
        scope, send = replace(work.request.scope, kind="transcription"), self._speech_model.transcribe
        if work.task == "translate":
            parameters = speech_models.translation_parameters(family, parameters)
            scope, send = replace(work.request.scope, kind="translation"), self._speech_model.translate
        reply = await send(part.name, audio, scope, model=model, seconds=part.length_s, **parameters)
        sounds = [(a - part.start_s, b - part.start_s) for a, b in work.recording.sounds]
        within = [(max(0.0, a), min(part.length_s, b)) for a, b in sounds if b > 0 and a < part.length_s]
        transcript = read_transcript(reply, within, part.length_s)
        used = read_usage(reply.get("usage")) or Usage(estimated=True)
        cost = self._price(model, replace(used, audio_seconds=used.audio_seconds or part.length_s))
        return StoredPart(number, _dump_part(transcript), None if cost is None else nano(cost))


class _PartsAtWork:
    """The parts of one recording on their way through the model."""

    def __init__(
        self,
        task: Task,
        id: str,
        recording: Recording,
        request: TranscriptionRequest,
        done: dict[int, StoredPart],
    ) -> None:
        self.task = task
        self.id = id
        self.recording = recording
        self.request = request
        self.done = done
        self.failed = False

    def report_progress(self) -> None:
        if self.request.progress:
            finished = sum(self.recording.parts[number].length_s for number in self.done)
            self.request.progress(min(finished, self.recording.length_s), self.recording.length_s)


def _join_parts(parts: Sequence[Part], transcripts: Sequence[Transcript]) -> Transcript:
    """One transcript of all parts, in the time of the recording."""
    segments: list[Segment] = []
    for number, (part, piece) in enumerate(zip(parts, transcripts, strict=True), 1):
        # A model names the speakers of each request anew.
        suffix = f"{number}" if len(parts) > 1 else ""
        moved = [
            replace(
                s,
                start_s=s.start_s + part.start_s,
                end_s=min(s.end_s + part.start_s, part.end_s),
                speaker=s.speaker and s.speaker + suffix,
            )
            for s in piece.segments
        ]
        segments = stitching.join_parts(segments, moved, part.overlap_s)
    letters: Counter[str] = Counter()
    for piece in transcripts:
        letters[piece.language] += sum(len(s.text) for s in piece.segments)
    language = letters.most_common(1)[0][0] if letters else ""
    return Transcript(language, tuple(segments), all(piece.timed for piece in transcripts))


async def gather_all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Everything at once; what is under way when one fails is finished first, for it is paid for."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def total_cost(costs: Sequence[Decimal | None]) -> Decimal | None:
    """Unknown as soon as one of them is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _dump_part(transcript: Transcript) -> str:
    """As JSON, for storage; parts that an earlier version stored have the same names."""
    segments = [asdict(segment) for segment in transcript.segments]
    return json.dumps({"language": transcript.language, "said": segments, "timed": transcript.timed})


def _load_part(text: str) -> Transcript:
    row = json.loads(text)
    return Transcript(row["language"], tuple(Segment(**s) for s in row["said"]), row["timed"])
