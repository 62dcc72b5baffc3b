"""Recordings to text: the requests for transcriptions and for translations to English.

What each model takes is bot/voice/speech_models.py's, what is done with the words bot/voice/transcriber.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.values import Scope, Usage
from bot.provider.client import ModelClient
from bot.provider.transport import Upload

# Bounds for budgets; what was used is settled from the provider's report.
AUDIO_TOKENS_PER_S = 20
WORDS_TOKENS_PER_S = 10


async def transcribe(
    client: ModelClient,
    upload: Upload,
    *,
    scope: Scope,
    model: str,
    seconds: float,
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """The model's JSON for a recording; plain formats come as `{"text": …}`."""
    answer, _ = await client.ask(
        "/audio/transcriptions",
        parameters,
        scope=scope,
        model=model,
        read=read_transcription,
        bound=bound_recording(seconds),
        upload=upload,
    )
    return answer


async def translate(
    client: ModelClient,
    upload: Upload,
    *,
    scope: Scope,
    model: str,
    seconds: float,
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """A recording in any language as English text. Only Whisper servers have this."""
    answer, _ = await client.ask(
        "/audio/translations",
        parameters,
        scope=scope,
        model=model,
        read=read_transcription,
        bound=bound_recording(seconds),
        upload=upload,
    )
    return answer


def bound_recording(seconds: float) -> Usage:
    """The most that a recording of this length can use."""
    audio_tokens = round(seconds * AUDIO_TOKENS_PER_S)
    return Usage(
        input_tokens=audio_tokens,
        input_audio_tokens=audio_tokens,
        output_tokens=round(seconds * WORDS_TOKENS_PER_S),
        audio_seconds=seconds,
    )


def read_transcription(answer: Any) -> dict[str, Any]:
    """A transcription, which holds a text whatever else it holds."""
    return {**answer, "text": answer["text"] or ""}
