"""What a model API says of its limits in the headers of a response.

Source: OpenAI, "Rate limits": x-ratelimit-{limit,remaining,reset}-{requests,tokens}, the tokens also of a
project. Azure sends bare numbers of seconds, and 0 or -1 for what it does not know. Cerebras adds
"-minute". Anthropic, "Rate limits": anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}, and when
it is reset as a date of RFC 3339.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

REQUESTS = ("requests", "requests-minute")
TOKENS = ("tokens", "project-tokens", "tokens-minute")
_SPELLINGS = ("x-ratelimit-{what}-{kind}", "anthropic-ratelimit-{kind}-{what}")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class ReportedRate:
    """One limit as a response tells it; None is not told. `limit` is above 0."""

    limit: float | None = None
    remaining: float | None = None
    reset_s: float | None = None


def read_rate(headers: Mapping[str, str], kinds: tuple[str, ...]) -> ReportedRate:
    """The limit of one kind; where several are told, the one of which least is left."""
    found = [_read(headers, kind) for kind in kinds]
    told = [rate for rate in found if rate.remaining is not None] or found
    return min(told, key=lambda rate: rate.remaining or 0)


def _read(headers: Mapping[str, str], kind: str) -> ReportedRate:
    told = _find(headers, "limit", kind)
    limit = _number(told)
    if told and not limit:  # not known there, so what is left of it is not either
        return ReportedRate()
    reset = _find(headers, "reset", kind)
    return ReportedRate(limit, _number(_find(headers, "remaining", kind)), _seconds_until(reset))


def _find(headers: Mapping[str, str], what: str, kind: str) -> str:
    names = (spelling.format(what=what, kind=kind) for spelling in _SPELLINGS)
    return next((headers[name] for name in names if name in headers), "")


def _seconds_until(reset: str) -> float | None:
    if (seconds := parse_duration(reset)) is not None:
        return seconds
    return seconds_until_date(reset)


def seconds_until_date(text: str) -> float | None:
    """From now until an ISO date with its zone; None for what is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo else None


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None


def parse_duration(text: str) -> float | None:
    """A duration as APIs write it: "17" and "1.5" are seconds, else "6m0s", "120ms"; None for others."""
    if not text.isascii():
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhd]))+", text):
        return None
    return sum(float(n) * _UNITS[unit] for n, _, unit in re.findall(r"(\d+(\.\d+)?)(ms|[smhd])", text))
