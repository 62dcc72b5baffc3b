"""Estimates what it would cost to answer a text, to transcribe and analyse speech, or to train a model.

Estimates use the same prices as the ledger. The result says what was assumed, as usage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from bot.core.errors import NotUnderstood
from bot.core.values import RequestKind, Usage
from bot.costs.price_list import read_packaged
from bot.costs.pricing import Prices
from bot.text import tokens
from bot.text.durations import read_duration, resembles_duration
from bot.text.typed import tidy

# Fast speech in Chinese: so many characters an hour, two tokens each; a model that was not tuned for the task
# is shown examples of it, half as many characters again. Source: the worked examples of Parley's ancestor.
CHARACTERS_PER_HOUR = 20_000
TOKENS_PER_CHARACTER = 2
EXAMPLE_CHARACTERS_PER_HOUR = 10_000
EPOCHS = 4
HOUR = timedelta(hours=1)
_OF_SPEECH = re.compile(
    r" (?:of )?(?:speech|audio|voice|sound|talk|recordings?|meetings?|clips?)$", re.IGNORECASE
)
# What is compared unless somebody names others.
MODELS = ("gpt-6-luna", "gpt-6-sol", "gpt-6.1-terra", "gpt-6.1-sol", "gpt-5.4-mini")
SPEECH_MODELS = ("gpt-transcribe", "whisper-1")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What would be done, with which model, what it would use and cost (None: unpriced, and why)."""

    what: str
    model: str
    usage: Usage
    usd: Decimal | None
    reason: str = ""

    @property
    def uses(self) -> str:
        """How long the sound is, or tokens read + written."""
        if minutes := self.usage.audio_seconds / 60:
            return f"{minutes / 60:.2f} h" if minutes >= 60 else f"{minutes:.1f} min"
        return f"{self.usage.input_tokens:,} + {self.usage.output_tokens:,} tokens"


@dataclass(frozen=True, slots=True)
class Estimator:
    """Prices of a moment, and the models to compare."""

    prices: Prices
    at: datetime
    models: Sequence[str] = field(default=())

    def estimate_answer(self, text: str, *, answer_tokens: int) -> list[Estimate]:
        """A text read once and answered."""
        return [
            self._line(
                "read and answer", model, Usage(tokens.count(text, model), output_tokens=answer_tokens)
            )
            for model in self.models
        ]

    def estimate_transcription(self, hours: float, models: Sequence[str]) -> list[Estimate]:
        """Speech to text, by models that are paid by the hour."""
        usage = Usage(audio_seconds=hours * 3600)
        return [self._line("speech to text", model, usage, kind="transcription") for model in models]

    def estimate_analysis(self, hours: float) -> list[Estimate]:
        """What was said in so many hours, read by a model: with examples of the task, or tuned for it."""
        return [self._line("analyse the speech", model, speech_usage(hours, model)) for model in self.models]

    def estimate_training(self, lines: Iterable[str], *, epochs: int = EPOCHS) -> list[Estimate]:
        """A training set (JSONL), on every model whose training has a known price."""
        texts = [text for line in lines if line.strip() for text in _read_texts(orjson.loads(line))]
        text = "\n".join(texts)
        return [
            self._line(
                f"train {epochs} epochs", model, Usage(tokens.count(text, model) * epochs), kind="training"
            )
            for model in trainable_models()
        ]

    def _line(self, what: str, model: str, usage: Usage, *, kind: RequestKind = "answer") -> Estimate:
        price = self.prices.price(model, usage, at=self.at, kind=kind)
        return Estimate(what, model, usage, price.usd, price.reason)


def read_hours(words: str) -> float:
    """The hours of speech that somebody asks about; 0 when it is a text to be read instead.

    NotUnderstood for what was meant as a time and is none, so that nobody gets the price of reading it.
    """
    time = _OF_SPEECH.sub("", tidy(words))
    try:
        return read_duration(time) / HOUR
    except NotUnderstood:
        if resembles_duration(time):
            raise
        return 0.0


def speech_usage(hours: float, model: str) -> Usage:
    """Tokens to read what was said in so many hours. A fine-tuned model needs no examples."""
    tuned = model.startswith("ft:") or ":ft-" in model
    characters = CHARACTERS_PER_HOUR + (0 if tuned else EXAMPLE_CHARACTERS_PER_HOUR)
    return Usage(input_tokens=round(hours * characters * TOKENS_PER_CHARACTER))


def trainable_models() -> list[str]:
    """Models whose training has a price."""
    return [
        entry.model for entry in read_packaged() if "training_mtok" in entry.rates and "*" not in entry.model
    ]


def _read_texts(example: dict[str, Any]) -> list[str]:
    """Every text of one line of a training set, of chats or of prompts and completions."""
    if "messages" in example:
        return [str(message.get("content") or "") for message in example["messages"]]
    return [str(example.get("prompt", "")), str(example.get("completion", ""))]
