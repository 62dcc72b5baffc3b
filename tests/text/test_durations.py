"""How long, in the words people use for it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import NotUnderstood
from bot.text.durations import NO_FIXED_LENGTH, read_duration, resembles_duration

UNDERSTOOD = {
    timedelta(days=7): [
        "7d",
        "7 days",
        "7 DAYS",
        "seven days",
        "a week",
        "1 week",
        "1wk",
        "7-day",
        "７ days",
        "٧ days",
    ],
    timedelta(days=14): [
        "two weeks",
        "2w",
        "a fortnight",
        "2 Weeks.",
        "14\u00a0days",
        "14\u202fdays",
        "14　days",
    ],
    timedelta(minutes=90): [
        *("90 minutes", "90min", "90 mins.", "1.5 h", "1,5 hours", "1.5hrs", "1h30", "1h30m", "1 h 30 min"),
        *("an hour and a half", "one and a half hours", "1 1/2 hours", "1½ hours", "1 hour, 30 minutes"),
        *("1 hour and 30 minutes", "one hour and half an hour", "ninety minutes", "1:30:00", "3/2 hours"),
    ],
    timedelta(hours=2): ["two hours", "2 hours", "2h", "a couple of hours", "2\u200bhours", "2\nhours"],
    timedelta(minutes=30): [
        "half an hour",
        "a half hour",
        "½ hour",
        "0.5 h",
        "0,5h",
        ".5 h",
        "thirty minutes",
        "30m",
    ],
    timedelta(minutes=45): ["three quarters of an hour", "3/4 hour", "45 min", "forty-five minutes", "¾ h"],
    timedelta(hours=12): ["half a day", "twelve hours", "a dozen hours"],
    timedelta(minutes=250): ["two hundred and fifty minutes", "250 min"],
    timedelta(days=1, hours=2, minutes=3, seconds=4): [
        "1d 2h 3m 4s",
        "a day, 2 hours, 3 minutes & 4 seconds",
    ],
}
NOT_UNDERSTOOD = [
    *(
        "",
        "7",
        "seven",
        "hours",
        "bob",
        "0 days",
        "-2 days",
        "2 houres",
        "2 hours 3 hours",
        "5 days ago",
        "1d12",
    ),
    *(
        "1.000 hours",
        "1,500 hours",
        "1.000,5 h",
        "1:30",
        "2² hours",
        "1/0 h",
        "9" * 30 + " weeks",
        "99999 years",
    ),
    *("two hours lats", "h", "2 h h", "until friday", "a", "half", "1e3 h", "inf h", "nan h", "200 years"),
]


@pytest.mark.parametrize(
    ("typed", "meant"), [(t, meant) for meant, typed in UNDERSTOOD.items() for t in typed]
)
def test_a_time_is_understood_as_people_write_it(typed: str, meant: timedelta) -> None:
    assert read_duration(typed) == meant


@pytest.mark.parametrize("typed", NOT_UNDERSTOOD)
def test_what_is_no_time_or_two_of_them_is_said(typed: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_duration(typed)
    assert caught.value.hint


@pytest.mark.parametrize("typed", ["a month", "2 months", "1 year", "3 yrs"])
def test_a_month_has_no_fixed_length(typed: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_duration(typed)
    assert caught.value.hint == NO_FIXED_LENGTH


def test_a_bare_number_counts_what_the_place_is_about() -> None:
    assert read_duration("7", bare="days") == read_duration("seven", bare="days") == timedelta(days=7)
    assert read_duration("1,5", bare="hours") == timedelta(minutes=90)
    with pytest.raises(NotUnderstood):
        read_duration("2 hours 7 8", bare="days")


@given(
    hours=st.integers(1, 400),
    minutes=st.integers(1, 59),
    spelled=st.sampled_from(
        ["{h} hours {m} minutes", "{h}h{m}", "{h} h {m} min", "{h} hrs and {m} mins", "{h}h, {m}m"]
    ),
    blank=st.sampled_from([" ", "\u00a0", "\u3000", "\n", "\u200b"]),
)
def test_hours_and_minutes_add_up_however_they_are_written(
    hours: int, minutes: int, spelled: str, blank: str
) -> None:
    typed = spelled.format(h=hours, m=minutes).replace(" ", blank)
    assert read_duration(typed) == timedelta(hours=hours, minutes=minutes)


@given(st.text() | st.from_regex(r"[\d.,:/' ½hdmsanour-]{0,20}", fullmatch=True))
def test_whatever_is_typed_is_a_time_or_not_understood(typed: str) -> None:
    resembles_duration(typed)
    with suppress(NotUnderstood):
        assert read_duration(typed) > timedelta(0)


@pytest.mark.parametrize(
    "typed", ["2 houres", "1.000 hours", "90", "two", "a month", "2 hours lats", "3 dayz"]
)
def test_a_misspelt_time_is_taken_for_none_but_a_time(typed: str) -> None:
    assert resembles_duration(typed)


@pytest.mark.parametrize(
    "typed", ["How much is the fish?", "a letter to Bob", "3 reasons to buy", "", "two of us went there"]
)
def test_a_text_that_begins_with_a_number_is_a_text(typed: str) -> None:
    assert not resembles_duration(typed)
