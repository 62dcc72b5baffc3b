"""Speech to text on this machine by faster-whisper: PARLEY_SPEECH_MODEL=local:small (extra `local-speech`).

It answers in the shape of OpenAI's verbose_json, so that nobody behind it knows the difference; it costs
nothing and leaves no row in the ledger, for nothing was asked of a provider. The weights are fetched from a
model hub when a model is used for the first time.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any

from bot.core.errors import Refused, SetupError
from bot.core.values import Scope
from bot.voice.speech_models import LOCAL, is_local
from bot.voice.transcriber import SpeechModel

# What faster-whisper raises: a model it does not know or cannot fetch, a processor that cannot run it.
FAILURES = (ValueError, RuntimeError, OSError)


class LocalSpeech:
    """One model, loaded when it is first needed; one recording at a time, for each takes every core."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}
        self._free = asyncio.Lock()

    def pick_model(self, model: str) -> str:
        """Itself: what is on this machine does not end."""
        return model

    async def transcribe(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]:
        """Like `Provider.transcribe`."""
        return await self._run_in_turn(audio, model, task="transcribe", **parameters)

    async def translate(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]:
        """Like `Provider.translate`."""
        return await self._run_in_turn(audio, model, task="translate", **parameters)

    async def _run_in_turn(
        self, audio: bytes, model: str, *, task: str, language: str | None = None, prompt: str | None = None
    ) -> dict[str, Any]:
        async with self._free:
            return await asyncio.to_thread(self._run, audio, model, task, language, prompt)

    def _run(
        self, audio: bytes, model: str, task: str, language: str | None, prompt: str | None
    ) -> dict[str, Any]:
        try:
            segments, about = self._loaded(model).transcribe(
                io.BytesIO(audio), task=task, language=language, initial_prompt=prompt, vad_filter=True
            )
            rows = [_row(segment) for segment in segments]  # this is where it transcribes
        except FAILURES as exc:
            raise Refused(f"{model}: {exc}") from exc
        text = "".join(row["text"] for row in rows).strip()
        return {"text": text, "language": about.language, "duration": about.duration, "segments": rows}

    def _loaded(self, model: str) -> Any:
        if model not in self._models:
            try:
                from faster_whisper import WhisperModel
            except ImportError as exc:
                needed = "faster-whisper; install parley-assistant[local-speech]"
                raise SetupError([f"PARLEY_SPEECH_MODEL: {model} needs {needed}"]) from exc
            self._models[model] = WhisperModel(model.removeprefix(LOCAL), device="auto", compute_type="int8")
        return self._models[model]


def _row(segment: Any) -> dict[str, Any]:
    names = ("start", "end", "text", "no_speech_prob", "avg_logprob")
    return {name: getattr(segment, name) for name in names}


def speech_for(model: str, provider: SpeechModel) -> SpeechModel:
    """Who transcribes for a model of that name: this machine, or the provider."""
    return LocalSpeech() if is_local(model) else provider
