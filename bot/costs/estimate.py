"""Estimates what it would cost to answer a text, to transcribe and analyse speech, or to train a model.

Estimates use the same prices as the ledger. The result says what was assumed, as usage.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
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

# Fast speech in Chinese, in sound or film: so many characters an hour are read, and so many written about
# them, two tokens each. Source: the worked examples of Parley's ancestor.
CHARACTERS_PER_HOUR = 20_000
WRITTEN_PER_HOUR = 10_000
TOKENS_PER_CHARACTER = 2
# How long an hour takes, from the upload to the analysis, in minutes. Source: as above.
FASTEST, SLOWEST = 5, 10
EPOCHS = 4
HOUR = timedelta(hours=1)
_OF_SPEECH = re.compile(
    r" (?:of )?(?:speech|audio|voice|sound|talk|recordings?|meetings?|clips?|films?|videos?|movies?)$",
    re.IGNORECASE,
)
# What is compared unless somebody names others.
MODELS = ("gpt-6-luna", "gpt-6-sol", "gpt-6.1-terra", "gpt-6.2-sol", "gpt-5.4-mini")
LOCAL = "local:"  # what the name of a speech model on this machine begins with
SPEECH_MODELS = ("gpt-transcribe", "whisper-1")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What would be done, with which model, what it would use and cost (None: unpriced, and why)."""

    what: str
    model: str
    usage: Usage
    usd: Decimal | None
    reason: str = ""
    in_use: bool = False  # the model that is asked here today
    trained: int = 0  # tokens of a training set, beside what is used

    @property
    def uses(self) -> str:
        """How long the sound is, or tokens read + written."""
        if minutes := self.usage.audio_seconds / 60:
            return f"{minutes / 60:.2f} h" if minutes >= 60 else f"{minutes:.1f} min"
        parts = [self.trained] if self.trained else []
        parts += [self.usage.input_tokens, self.usage.output_tokens]
        return f"{' + '.join(f'{count:,}' for count in parts)} tokens"


@dataclass(frozen=True, slots=True)
class Estimator:
    """Prices of a moment, the models to compare, and those that are in use."""

    prices: Prices
    at: datetime
    models: Sequence[str] = field(default=())
    in_use: Collection[str] = field(default=())

    def estimate_answer(self, text: str, *, answer_tokens: int) -> list[Estimate]:
        """A text read once and answered."""
        return [
            self._line(
                "read and answer", model, Usage(tokens.count(text, model), output_tokens=answer_tokens)
            )
            for model in self.models
        ]

    def estimate_transcription(self, hours: float, models: Sequence[str]) -> list[Estimate]:
        """Speech to text, by models that are paid by the hour; on this machine it costs nothing."""
        usage = Usage(audio_seconds=hours * 3600)
        return [
            Estimate("speech to text", model, usage, Decimal(0), in_use=model in self.in_use)
            if model.startswith(LOCAL)
            else self._line("speech to text", model, usage, kind="transcription")
            for model in models
        ]

    def estimate_analysis(self, hours: float) -> list[Estimate]:
        """What was said in so many hours, read by a model that writes about it.

        Of a fine-tuned model, the price of reading stands apart, to be added to that of its training.
        """
        found = []
        for model in self.models:
            if is_tuned(model):
                found.append(self._speech_line("read the speech", model, hours, written=False))
                found.append(self._speech_line("write about it", model, hours, read=False))
            else:
                found.append(self._speech_line("analyse the speech", model, hours))
        return found

    def estimate_training(self, lines: Iterable[str], *, epochs: int = EPOCHS) -> list[Estimate]:
        """A training set (JSONL), on every model whose training has a known price."""
        text = read_training_set(lines)
        return [self._training(text, model, epochs) for model in self._trainable()]

    def estimate_training_and_use(
        self, lines: Iterable[str], prompt: Usage | str, *, epochs: int = EPOCHS
    ) -> list[Estimate]:
        """A training set, and what the trained model then reads, a text or tokens: training data × price of
        training + prompt × price of the trained model."""
        text = read_training_set(lines)
        return [self._training_and_use(text, prompt, model, epochs) for model in self._trainable()]

    def _trainable(self) -> list[str]:
        """Models whose training has a price; of those to compare, where one of them has."""
        found = trainable_models()
        return [model for model in found if model in self.models] or found

    def _training(self, text: str, model: str, epochs: int) -> Estimate:
        used = Usage(tokens.count(text, model) * epochs)
        return self._line(f"train {epochs} epochs", model, used, kind="training")

    def _training_and_use(self, text: str, prompt: Usage | str, model: str, epochs: int) -> Estimate:
        training = self._training(text, model, epochs)
        read = Usage(tokens.count(prompt, model)) if isinstance(prompt, str) else prompt
        use = self._line("", self._find_tuned(model), read)
        costs = (training.usd, use.usd)
        return replace(
            training,
            what=f"train {epochs} epochs, use",
            usage=read,
            trained=training.usage.input_tokens,
            usd=None if None in costs else sum(filter(None, costs), Decimal(0)),
            reason=training.reason or use.reason,
        )

    def _find_tuned(self, model: str) -> str:
        """What the model is called once it is trained, by the form that has a price."""
        names = (f"{model}:ft-your-team", f"ft:{model}:your-team")
        return next((name for name in names if self.prices.lists(name, at=self.at)), names[-1])

    def _speech_line(
        self, what: str, model: str, hours: float, *, read: bool = True, written: bool = True
    ) -> Estimate:
        """Priced by the hour: no model is given days of speech at once, where each token would cost more."""
        requests = max(1.0, hours)
        one = self._line(what, model, speech_usage(hours / requests, read=read, written=written))
        usd = None if one.usd is None else one.usd * Decimal(str(requests))
        return replace(one, usage=speech_usage(hours, read=read, written=written), usd=usd)

    def _line(self, what: str, model: str, usage: Usage, *, kind: RequestKind = "answer") -> Estimate:
        price = self.prices.price(model, usage, at=self.at, kind=kind)
        return Estimate(what, model, usage, price.usd, price.reason, in_use=model in self.in_use)


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


def speech_usage(hours: float, *, read: bool = True, written: bool = True) -> Usage:
    """Tokens to read what was said in so many hours, and to write about it, or one of both."""
    return Usage(
        input_tokens=round(hours * CHARACTERS_PER_HOUR * TOKENS_PER_CHARACTER) if read else 0,
        output_tokens=round(hours * WRITTEN_PER_HOUR * TOKENS_PER_CHARACTER) if written else 0,
    )


def is_tuned(model: str) -> bool:
    """Whether the name is that of a fine-tuned model."""
    return model.startswith("ft:") or ":ft-" in model


def describe_wait(hours: float) -> str:
    """How long it takes until so many hours of speech are analysed, in a sentence."""
    fast, slow = hours * FASTEST, hours * SLOWEST
    if slow < 2:
        return f"It takes about {'a minute' if slow >= 1 else 'half a minute'}."
    unit, fast, slow = ("hours", fast / 60, slow / 60) if fast >= 120 else ("minutes", fast, slow)
    return f"It takes about {max(1, round(fast)):,}–{round(slow):,} {unit}."


def read_training_set(lines: Iterable[str]) -> str:
    """All that a training set (JSONL) has a model read. NotUnderstood names the first line that is no part of
    one."""
    texts: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                texts += _read_texts(orjson.loads(line))
            except (ValueError, TypeError, AttributeError) as exc:
                raise NotUnderstood(f"line {number}", "Each line is a JSON object with messages.") from exc
    return "\n".join(texts)


def list_speech_models(in_use: str) -> list[str]:
    """Models that listen and are paid by the hour, with the one in use."""
    return list(dict.fromkeys((in_use, *SPEECH_MODELS)))


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
