"""What is expected to be asked of a model, from what was asked so far."""

from __future__ import annotations

from itertools import islice

from bot.provider.arrivals import KEPT_S, Arrivals, Ask


def ask(channel: str) -> Ask:
    return Ask(channel, "U1", "answer", 500, 1000)


def test_who_asked_often_is_expected_often() -> None:
    arrivals = Arrivals(0.0)
    for minute in range(10):
        arrivals.note(ask("busy"), 60.0 * minute)
    arrivals.note(ask("calm"), 600.0)
    coming = [asked.channel for at, asked in islice(arrivals.expected(600.0), 50) if at < 1200]
    assert coming.count("busy") > 2 * coming.count("calm") > 0


def test_who_asked_long_ago_is_neither_expected_nor_kept() -> None:
    arrivals = Arrivals(0.0)
    for number in range(1000):
        arrivals.note(ask(f"C{number}"), 1.0)
    arrivals.note(ask("now"), 2 * KEPT_S)
    assert [asked.channel for _, asked in islice(arrivals.expected(2 * KEPT_S), 3)] == ["now"] * 3
    assert len(arrivals) == 1
