"""The goals of `make bench-tpm` for the real scheduler. Virtual time: nothing here depends on the machine."""

from __future__ import annotations

import pytest

from tests.bench.tpm import Counted, ParleyProcesses, Window, measure, parley


@pytest.mark.parametrize("window", ["fixed", "refilling"])
@pytest.mark.parametrize("counted", ["reserve", "use"])
def test_a_limit_is_used_whole_evenly_and_fairly_and_whoever_waits_is_told_how_long(
    window: Window, counted: Counted
) -> None:
    figures = measure(parley, window, counted, minutes=5, after=3)
    assert figures.used >= 0.95
    assert figures.refused <= 0.005
    assert figures.first_ten_s <= 0.22, "a sixth would be even; of so few minutes the first burst is much"
    assert figures.jain >= 0.98
    assert figures.calm_channel <= 1.5
    assert figures.calm_person <= 1.5
    assert figures.median_error <= 0.25


def test_three_processes_share_a_limit_and_are_fair_to_channels_that_wait_in_all_of_them() -> None:
    figures = measure(ParleyProcesses(3), "fixed", "reserve", minutes=4, after=1)
    assert figures.used >= 0.9
    assert figures.refused <= 0.02
    assert figures.first_ten_s <= 0.3
    assert figures.jain >= 0.97
    assert figures.calm_channel <= 1.5
