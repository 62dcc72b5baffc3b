"""Request parameters: what the operator set, named as each endpoint names it, without what a model refuses.

Names are those of /v1/completions. Which of them a model refuses is learned from its first 400, kept by
storage/provider/model_traits.py and handed in by bot/provider/text.py.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.provider.stop_sequences import StopRules, choose_rules

STOPS_SENT = 4  # Source: OpenAI API reference, `stop`: "Up to 4 sequences"
# How a transcript is continued unless the operator says otherwise. Chat models are tuned for the defaults of
# their own, and some refuse any other.
TRANSCRIPT_DEFAULTS = {"temperature": 0.9, "top_p": 1.0, "presence_penalty": 0.6, "frequency_penalty": 0.0}
PENALTIES = ("presence_penalty", "frequency_penalty")
ROOM_FACTOR, ROOM_LEAST_TOKENS = 4, 4_000  # for another try of a model that thought its whole limit away
RESERVED = frozenset(
    ["model", "prompt", "messages", "input", "instructions", "stream", "stream_options", "stop", "store"]
)

_NOT_FOR_FORMS = frozenset(["stop", "echo", "suffix"])  # JSON ends with its last bracket
_ONLY_TRANSCRIPT = frozenset(["suffix", "echo", "best_of"])
# Source: openai 3.54, ResponseCreateParams has none of these.
_NOT_RESPONSES = _ONLY_TRANSCRIPT | frozenset(
    ["presence_penalty", "frequency_penalty", "stop", "seed", "logit_bias", "logprobs", "n", "max_tokens"]
)
NOT_TAKEN: dict[str, frozenset[str]] = {
    "transcript": frozenset(["prompt_cache_key", "store"]),
    "chat": _ONLY_TRANSCRIPT,
    "responses": _NOT_RESPONSES,
}
LIMIT_NAMES: dict[str, tuple[str, ...]] = {
    "transcript": ("max_tokens",),
    "chat": ("max_completion_tokens", "max_tokens"),
    "responses": ("max_output_tokens",),
}
RESPONSES_LEAST_TOKENS = 16  # Source: OpenAI API reference, `max_output_tokens`: at least 16


@dataclass(frozen=True, slots=True)
class Parameters:
    """What every request for text carries. `extra` is the operator's own JSON."""

    style: str
    wanted: Mapping[str, Any]
    extra: Mapping[str, Any]
    max_tokens: int

    @property
    def candidates(self) -> int:
        """How many answers are generated, and paid, to show one."""
        return int(self.extra.get("best_of") or 1)

    def build(
        self,
        refused: Collection[str],
        *,
        max_tokens: int | None = None,
        warmer: bool = False,
        exact: bool = False,
    ) -> dict[str, Any]:
        """The parameters of one request; `warmer` is for another answer than last time, `exact` for
        the likeliest one: a form is filled in, not written freely."""
        given = dict(self.wanted) | dict(self.extra)
        if exact:
            given |= {"temperature": 0} | {name: 0 for name in PENALTIES if name in given}
            given = {name: value for name, value in given.items() if name not in _NOT_FOR_FORMS}
        if warmer:
            given["temperature"] = min(2.0, float(given.get("temperature", 1)) + 0.3)
        limit = max_tokens or int(self.extra.get("max_tokens", self.max_tokens))
        if name := next((name for name in LIMIT_NAMES[self.style] if name not in refused), ""):
            given[name] = max(limit, RESPONSES_LEAST_TOKENS) if self.style == "responses" else limit
        given |= self._stream_options()
        return {name: value for name, value in given.items() if name not in refused}

    def _stream_options(self) -> dict[str, Any]:
        # Source: OpenAI API reference: results of best_of cannot be streamed.
        if self.candidates > 1:
            return {}
        if self.style == "responses":
            return {"stream": True, "stream_options": {"include_obfuscation": False}}
        options = {"include_usage": True}
        return {
            "stream": True,
            "stream_options": options | ({"include_obfuscation": False} if self.style == "chat" else {}),
        }


def read_parameters(settings: Settings) -> Parameters:
    """The operator's parameters; SetupError says what is wrong with PARLEY_MODEL_PARAMETERS."""
    extra = _read_extra(settings)
    defaults = TRANSCRIPT_DEFAULTS if settings.style == "transcript" else {}
    given = {name: getattr(settings, name) for name in TRANSCRIPT_DEFAULTS}
    wanted = defaults | {name: value for name, value in given.items() if value is not None}
    wanted |= {"store": False}
    if stops := read_stop_rules(settings).sent:
        wanted["stop"] = list(stops[:STOPS_SENT])
    taken = {name: value for name, value in wanted.items() if name not in NOT_TAKEN[settings.style]}
    limit = extra.pop("max_tokens", settings.max_tokens)
    return Parameters(settings.style, taken, extra, limit)


def read_stop_rules(settings: Settings) -> StopRules:
    """What ends an answer; SetupError says what is wrong with PARLEY_STOP."""
    return choose_rules(settings.style, _read_stops(settings))


def give_room(max_tokens: int) -> int:
    """The output limit of another try."""
    return max(max_tokens * ROOM_FACTOR, ROOM_LEAST_TOKENS)


def _read_stops(settings: Settings) -> tuple[str, ...] | None:
    """The operator's stop sequences; None where there is no word about them."""
    if not settings.stop:
        return None
    try:
        stops = json.loads(settings.stop)
    except ValueError as exc:
        raise SetupError([f"PARLEY_STOP: not JSON: {exc}"]) from exc
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise SetupError(['PARLEY_STOP: not a JSON list of texts, like [" Human:", " AI:"]'])
    return tuple(stops)


def _read_extra(settings: Settings) -> dict[str, Any]:
    try:
        extra = json.loads(settings.extra_parameters or "{}")
    except ValueError as exc:
        raise SetupError([f"PARLEY_MODEL_PARAMETERS: not JSON: {exc}"]) from exc
    if not isinstance(extra, dict):
        raise SetupError(['PARLEY_MODEL_PARAMETERS: not a JSON object, like {"seed": 7}'])
    if problems := [f"PARLEY_MODEL_PARAMETERS: {line}" for line in _find_problems(extra, settings.style)]:
        raise SetupError(problems)
    return extra


def _find_problems(extra: dict[str, Any], style: str) -> list[str]:
    found = [f"{name} is set by Parley itself" for name in extra if name in RESERVED]
    found += [
        f"{name} is not taken by the style {style}" for name in extra if name in NOT_TAKEN[style] - RESERVED
    ]
    if extra.get("n", 1) != 1:
        found.append("n: one answer is shown, so n is 1; best_of chooses among several")
    for name in ("best_of", "max_tokens"):
        value = extra.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            found.append(f"{name}: {value!r} is not a whole number above 0")
    return found
