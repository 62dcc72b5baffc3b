"""What servers say of their limits, in every spelling that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.provider.rate_headers import REQUESTS, TOKENS, parse_duration, read_rate


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-limit-tokens": "6000", "x-ratelimit-remaining-tokens": "5000"},
        {"x-ratelimit-limit-project-tokens": "6000", "x-ratelimit-remaining-project-tokens": "5000"},
        {"x-ratelimit-limit-tokens-minute": "6000", "x-ratelimit-remaining-tokens-minute": "5000"},
        {"anthropic-ratelimit-tokens-limit": "6000", "anthropic-ratelimit-tokens-remaining": "5000"},
    ],
)
def test_tokens_are_read_in_each_spelling(headers: dict[str, str]) -> None:
    rate = read_rate(headers, TOKENS)
    assert (rate.limit, rate.remaining) == (6000, 5000)
    assert read_rate(headers, REQUESTS).limit is None


def test_a_date_is_as_far_away_as_it_is() -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    for date in (soon.isoformat(), soon.strftime("%Y-%m-%dT%H:%M:%SZ")):
        headers = {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-reset": date}
        reset_s = read_rate(headers, REQUESTS).reset_s
        assert reset_s is not None and 3500 < reset_s <= 3600
    past = {"anthropic-ratelimit-requests-reset": "2020-01-01T00:00:00Z"}
    assert read_rate(past, REQUESTS).reset_s == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1m30.5s", 90.5),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("17", 17),
        ("1.5", 1.5),
        ("2h", 7200),
        ("1d", 86400),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "-1", "soon", "2026-01-01T00:00:00", "20261399", "nan", "1e9", "١"])
def test_what_is_neither_a_duration_nor_a_date_with_its_zone_says_nothing(text: str) -> None:
    rate = read_rate({"x-ratelimit-reset-tokens": text}, TOKENS)
    assert rate.reset_s is None or text == "20261399"
