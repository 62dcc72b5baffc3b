"""Estimates what a request to the fake model would cost at the real one; shown on the page, never booked."""

from __future__ import annotations

from typing import Any


def cost_usd(request: dict[str, Any]) -> float | None:
    """US dollars by the usage that was told and today's list price; None when there is none."""
    usage = request.get("usage") or {}
    model = str(request.get("body", {}).get("model", ""))
    read = (usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}).get(
        "cached_tokens", 0
    )
    tokens = {
        "input_tokens": usage.get("prompt_tokens", usage.get("input_tokens", 0)),
        "output_tokens": usage.get("completion_tokens", usage.get("output_tokens", 0)),
        "cache_read_tokens": read,
    }
    return (
        _price(model, {"audio_seconds": usage["seconds"]} if "seconds" in usage else tokens)
        if usage
        else None
    )


def _price(model: str, units: dict[str, Any]) -> float | None:
    from genai_prices import Usage, calc_price  # takes half a second, and only those who look pay it

    try:
        return float(calc_price(Usage(**units), model, provider_id="openai").total_price)
    except (LookupError, ValueError):
        return None
