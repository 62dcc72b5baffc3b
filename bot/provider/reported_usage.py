"""Reads the usage that an answer reports, and what a gateway says it billed; None where it is missing or
cannot be true."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.core.values import Usage

LONGEST_AMOUNT = 40  # characters
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


# Where LiteLLM says what a request cost. Source: docs.litellm.ai, proxy, response headers, October 2026.
COST_HEADER = "x-litellm-response-cost"


def read_billed(raw: Any, header: str = "") -> Decimal | None:
    """The dollars that a gateway says it billed, in `usage` or in COST_HEADER; None where it says nothing, or
    nothing that is an amount.

    Source: openrouter.ai, usage accounting, October 2026: `cost` in credits of a dollar; where a key of one's
    own was used, what its vendor charges comes on top.
    """
    usage = raw if isinstance(raw, dict) else {}
    cost = usage.get("cost")
    billed = _read_amount(cost)
    if billed is None:
        return _read_amount(header)
    upstream = _details(usage, "cost_details").get("upstream_inference_cost")
    return billed + (_read_amount(upstream) or 0) if usage.get("is_byok") is True else billed


def header_of(headers: Mapping[str, str]) -> str:
    """COST_HEADER of a response; "" without it."""
    return str(headers.get(COST_HEADER) or "")


def _read_amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    try:
        amount = Decimal(text) if len(text) <= LONGEST_AMOUNT else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() and 0 <= amount < LIMIT else None


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
