"""Where a setting comes from: the nearest place that says something."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.channel.effective import EffectiveSetting, Level, find_effective

SOURCES = ("channel", "operator", "workspace", "operator", "default")
NAMES = ("a", "b")


def levels(*given: dict[str, str]) -> list[Level]:
    return list(zip(SOURCES, given, strict=True))  # type: ignore[arg-type]


@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "x", "y"])), min_size=5, max_size=5)
)
def test_the_first_place_that_says_something_counts(said: list[dict[str, str]]) -> None:
    found = find_effective(NAMES, levels(*said), may_stay=lambda name, value: True)
    for name in NAMES:
        speaking = [(source, one[name]) for source, one in zip(SOURCES, said, strict=True) if one.get(name)]
        source, value = speaking[0] if speaking else ("default", "")
        assert found[name] == EffectiveSetting(name, value, source)  # type: ignore[arg-type]


def test_what_may_not_stay_is_passed_over_unless_it_is_the_operators() -> None:
    said = levels({"a": "old"}, {"b": "old"}, {"a": "new"}, {}, {})
    found = find_effective(NAMES, said, may_stay=lambda name, value: value != "old")
    assert (found["a"].value, found["a"].source) == ("new", "workspace")
    assert (found["b"].value, found["b"].source) == ("old", "operator")
