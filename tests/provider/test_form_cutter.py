"""The JSON of a form is cut out of whatever stands around it; what cannot become one is ended at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.provider.form_cutter import FormCutter
from bot.provider.json_form import object_schema

VERDICT = object_schema(belongs={"type": "boolean"}, probability={"type": "number"})
QUOTES = object_schema(
    answer={"type": "string"},
    quotes={
        "type": "array",
        "items": object_schema(passage={"type": "integer"}, quote={"type": "string"}),
    },
)
ANSWER = '{"belongs": true, "probability": 0.9}'


def cut(text: str, schema: dict[str, object] = VERDICT, step: int = 1) -> tuple[str, FormCutter, int]:
    """What is shown of a text, its cutter, and after how many characters nothing more was read."""
    cutter, shown = FormCutter(schema), ""
    for at in range(0, len(text), step):
        shown += cutter.feed(text[at : at + step])
        if cutter.whole or cutter.impossible:
            return shown, cutter, min(at + step, len(text))
    return shown, cutter, len(text)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"\n  {ANSWER}",
        f"```json\n{ANSWER}\n```",
        f"```\n{ANSWER}```",
        f"{ANSWER} I hope that helps.",
        f"{ANSWER}{ANSWER}",
    ],
)
def test_the_json_alone_is_shown_and_its_end_is_the_end(text: str, step: int) -> None:
    shown, cutter, _ = cut(text, step=step)
    assert shown == ANSWER
    assert cutter.whole


@pytest.mark.parametrize(
    ("text", "at_most"),
    [
        ("Sure! Here is the JSON: " + ANSWER, 1),
        ("The message belongs", 1),
        ("true", 1),
        ("[1, 2]", 1),
        ('{"belongs": maybe}', 13),
        ('{"verdict": "yes", "why"', 15),
        ('{"belongs": "yes", "probability": 1}', 14),
        ('{"belongs": true, "probability": "high"}', 36),
        ('{"belongs": true, "probability": true}', 38),
        ('{"belongs": true}', 17),
        ("{belongs: true}", 2),
        ("   " * 200, 210),
        ('{"belongs":' + " " * 1_000, 230),
        ("```python\nprint(1)", 11),
    ],
)
def test_what_cannot_become_the_form_is_ended_as_soon_as_that_is_sure(text: str, at_most: int) -> None:
    _, cutter, read = cut(text)
    assert cutter.impossible
    assert not cutter.whole
    assert read <= at_most


def test_text_that_only_breaks_off_is_neither_whole_nor_impossible() -> None:
    for length in range(len(ANSWER)):
        shown, cutter, _ = cut(ANSWER[:length])
        assert not cutter.whole
        assert not cutter.impossible
        assert shown == ANSWER[:length]


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(), st.text(max_size=20)), max_size=3),
    st.integers(min_value=1, max_value=9),
    st.booleans(),
)
def test_every_answer_of_the_form_passes_letter_for_letter(
    answer: str, quotes: list[tuple[int, str]], step: int, ascii_only: bool
) -> None:
    value = {"answer": answer, "quotes": [{"passage": n, "quote": text} for n, text in quotes]}
    text = json.dumps(value, ensure_ascii=ascii_only)
    shown, cutter, _ = cut(text, QUOTES, step)
    assert shown == text
    assert cutter.whole


@given(st.text(max_size=200), st.integers(min_value=1, max_value=9))
def test_no_text_whatever_raises(text: str, step: int) -> None:
    cut(text, QUOTES, step)
    cut("{" + text, QUOTES, step)
