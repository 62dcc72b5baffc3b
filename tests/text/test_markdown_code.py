"""Where a Markdown text that still grows stands in code, asked at any place."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.markdown_code import CodeTracker


def inside(*parts: str) -> bool:
    tracker = CodeTracker()
    for part in parts:
        tracker.add(part)
    return tracker.is_inside()


@pytest.mark.parametrize(
    "text",
    [
        "a `b",
        "a ``b ` c",
        "```",
        "```py\nx\n",
        "```py\nx ` y\n",
        "```\n```` x\n",
        "````\n```\n",
        "~~~\nx\n```\n",
        "- a\n  ```\n  x",
        "1. ```js\nx",
        "> ```\n> x",
        "text\n\n    x",
        "\tx",
        "```info",
    ],
)
def test_it_is_in_code(text: str) -> None:
    assert inside(text)
    assert inside(*text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "a `b` c",
        "a ``b ` c`` d",
        "a `b\nc",
        "```\nx\n```\n",
        "```\nx\n```\ny",
        "```\nx\n   ````\ny",
        "a ```b``` c",
        "a ```b``` c\nd",
        "> ```\n> x\n> ```\n> y",
        "~~~\nx\n~~~~\ny",
        "   x",
        "a ~~~ b\nc",
    ],
)
def test_it_is_in_text(text: str) -> None:
    assert not inside(text)
    assert not inside(*text)


@given(st.lists(st.sampled_from(["`", "``", "```", "\n", "a", " ", "    ", "> ", "- ", "~~~"]), max_size=20))
def test_asking_on_the_way_changes_nothing(parts: list[str]) -> None:
    asked, quiet = CodeTracker(), CodeTracker()
    for part, following in pairwise([*parts, ""]):
        asked.add(part)
        quiet.add(part)
        if not (part.endswith("`") and following.startswith("`")):
            asked.is_inside()
    assert asked.is_inside() == quiet.is_inside()
