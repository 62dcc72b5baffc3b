"""Reads the usage that an answer reports; None where it is missing or cannot be true."""

from __future__ import annotations

from typing import Any

from bot.core.values import Usage

LIMIT = 100_000_000  # no single request uses more of anything


def read_usage(raw: Any) -> Usage | None:
    """`usage` of any endpoint as our Usage. Names differ per endpoint; details may be absent or null."""
    if not isinstance(raw, dict):
        return None
    details = _details(raw, "input_tokens_details", "prompt_tokens_details", "input_token_details")
    try:
        usage = Usage(
            input_tokens=_count(raw.get("input_tokens", raw.get("prompt_tokens"))),
            cached_tokens=_count(details.get("cached_tokens")),
            cache_write_tokens=_count(details.get("cache_write_tokens")),
            output_tokens=_count(raw.get("output_tokens", raw.get("completion_tokens"))),
            input_audio_tokens=_count(details.get("audio_tokens")),
            audio_seconds=_seconds(raw.get("seconds")),
        )
    except ValueError:
        return None
    anything = usage.input_tokens or usage.output_tokens or usage.audio_seconds
    if not anything or usage.cached_tokens + usage.cache_write_tokens > usage.input_tokens:
        return None
    return usage


def _details(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    return next((found for name in names if isinstance(found := raw.get(name), dict)), {})


def _count(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LIMIT:
        raise ValueError(f"not a count: {value!r}")
    return value


def _seconds(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LIMIT:
        raise ValueError(f"not a duration: {value!r}")
    return float(value)
