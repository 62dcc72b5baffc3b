"""A file on this machine, transcribed for whoever runs Parley: by the running bot, or by the command itself.

Whichever process holds the database transcribes, so that all of it is in one ledger and under the same caps.
Between the two travel a `TranscriptionOrder` one way and lines of progress and a card the other
(bot/ops/control_socket.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.core.calendar import Calendar
from bot.core.errors import BotError, UnsupportedFile
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.costs.pricing import Prices
from bot.ops.operator_errors import explain_error
from bot.provider.service import Provider
from bot.text.file_names import show_name
from bot.voice.clip_card import ClipCard
from bot.voice.decoding import Progress
from bot.voice.local_speech import speech_for
from bot.voice.recognition import Recognizer
from bot.voice.transcriber import TranscriptionRequest
from storage.engine import Engine

# The ledger's row says that it was asked for at the command line.
SCOPE = Scope(team="cli", channel="cli", user="cli", conversation="cli", kind="transcription")


@dataclass(frozen=True, slots=True)
class TranscriptionOrder:
    """What is to be transcribed, and how. `path` is absolute; no `spoken`: detected."""

    path: str
    model: str
    spoken: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    english: bool = False


# The card, or in words why there is none.
TranscribeFile = Callable[[TranscriptionOrder, Progress], Awaitable[ClipCard | str]]


class FileTranscriber:
    """Transcribes files of this machine, with any model."""

    def __init__(
        self, settings: Settings, engine: Engine, provider: Provider, *, prices: Prices, calendar: Calendar
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._provider = provider
        self._prices = prices
        self._calendar = calendar
        self._recognizers: dict[str, Recognizer] = {}  # by model

    async def transcribe(self, order: TranscriptionOrder, progress: Progress) -> ClipCard | str:
        """Implements `TranscribeFile`."""
        path = Path(order.path)
        request = TranscriptionRequest(
            show_name(path.name),
            SCOPE,
            spoken=tuple(order.spoken),
            vocabulary=tuple(order.vocabulary),
            english=order.english,
            progress=progress,
        )
        try:
            if not path.is_file():
                raise UnsupportedFile(order.path, "there is no such file")
            return await self._recognizer(order.model).recognize(path, request)
        except UnsupportedFile as exc:
            return exc.reason
        except BotError as exc:
            return "; ".join(explain_error(exc))

    def _recognizer(self, model: str) -> Recognizer:
        if model not in self._recognizers:
            self._recognizers[model] = Recognizer(
                self._settings.changed(speech_model=model),
                self._engine,
                speech_for(model, self._provider),
                self._provider.complete,
                prices=self._prices,
                calendar=self._calendar,
            )
        return self._recognizers[model]
