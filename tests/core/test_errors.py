"""The sentences that errors are to a person."""

from __future__ import annotations

import pytest

from bot.core.errors import GaveUp


@pytest.mark.parametrize(("attempts", "said"), [(1, "I tried once and"), (3, "I tried 3 times and")])
def test_how_often_something_was_tried_reads_as_a_sentence(attempts: int, said: str) -> None:
    assert GaveUp(attempts).notice.startswith(said)
