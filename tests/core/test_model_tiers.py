from __future__ import annotations

from typing import get_args

import pytest

from bot.core.model_tiers import TIERS, Work, model_for, model_of
from bot.core.settings import Settings

LARGE, MIDDLE, SMALL = "the-large", "the-middle", "the-small"


@pytest.mark.parametrize(
    ("middle", "small", "found"),
    [
        (MIDDLE, SMALL, (LARGE, MIDDLE, SMALL)),
        (MIDDLE, "", (LARGE, MIDDLE, MIDDLE)),
        ("", SMALL, (LARGE, LARGE, SMALL)),
        ("", "", (LARGE, LARGE, LARGE)),
    ],
)
def test_a_size_without_a_model_of_its_own_has_that_of_the_next_larger(
    middle: str, small: str, found: tuple[str, str, str]
) -> None:
    settings = Settings(model=LARGE, middle_model=middle, small_model=small)
    assert tuple(model_of(tier, settings) for tier in ("large", "middle", "small")) == found


def test_each_kind_of_work_has_its_size() -> None:
    settings = Settings(model=LARGE, middle_model=MIDDLE, small_model=SMALL)
    found: dict[str, set[str]] = {}
    for work in get_args(Work):
        found.setdefault(model_for(work, settings), set()).add(work)
    assert set(TIERS) == set(get_args(Work))
    assert found == {
        LARGE: {"answer", "summary", "code"},
        MIDDLE: {"translation", "classification", "sentiment", "fields"},
        SMALL: {"label", "address", "keywords", "verdict", "examples", "rewriting"},
    }
