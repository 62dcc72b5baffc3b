"""What an operator says of channels in one file: what they are for, and how they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.channel.operator_file import read_answer_options, read_policy_tables
from bot.channel.options import OptionChecks
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.costs.pricing import Prices
from bot.setup_problems import read_operator_file


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policies.toml"
    path.write_text(text, "utf-8")
    return str(path)


def checks(path: str = "", **settings: str) -> OptionChecks:
    return OptionChecks(Settings(policies=path, **settings), Prices(), lambda: 1_795_000_000.0)  # type: ignore[arg-type]


def test_a_channel_may_have_either_part_or_both(tmp_path: Path) -> None:
    both = '[C3]\npurpose = "parcels"\nmodel = "our-own"\n'
    path = file(tmp_path, f'C1 = "billing"\n[C2]\npersona = "A clerk."\nlength = 300\n{both}')
    policies, answers = read_operator_file(checks(path))
    assert {channel: policy.purpose for channel, policy in policies.items()} == {
        "C1": "billing",
        "C3": "parcels",
    }
    assert answers == {"C1": {}, "C2": {"persona": "A clerk.", "length": "300"}, "C3": {"model": "our-own"}}


def test_no_file_says_nothing() -> None:
    assert read_operator_file(checks()) == ({}, {})


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    rude = '[C3]\ntone = "rude"\npersona = "x"\n[C4]\n'
    path = file(tmp_path, f'[C1]\nlength = "endless"\nstyle = ["chat"]\n[C2]\npersonna = "A clerk."\n{rude}')
    with pytest.raises(SetupError) as caught:
        read_operator_file(checks(path, length="endless"))
    found = [problem.removeprefix(f"{path}: ").split(": ")[:2] for problem in caught.value.problems]
    assert found == [
        ["PARLEY_LENGTH", "endless"],
        ["C2", "personna"],
        ["C2", "purpose"],
        ["C3", "purpose"],
        ["C3", "tone"],
        ["C4", "purpose"],
        ["C1", "style"],
        ["C1", "length"],
    ]


@pytest.mark.parametrize("read", [read_policy_tables, lambda path: read_answer_options(path, _taken)])
def test_a_file_that_cannot_be_read_is_told_once(tmp_path: Path, read: object) -> None:
    path = str(tmp_path / "none.toml")
    with pytest.raises(SetupError, match="PARLEY_POLICIES: cannot read"):
        read(path)  # type: ignore[operator]
    with pytest.raises(SetupError) as caught:
        read_operator_file(checks(path))
    assert len(caught.value.problems) == 1


def _taken(given: Mapping[str, str]) -> dict[str, str]:
    return dict(given)
