"""Marks of ours that a model imitates are no part of its answer, however the answer is cut on its way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.values import Message, Prompt
from bot.provider.own_marks import ABOUT, AFTER_CUT, CONTEXT, LEFT_OUT, SUMMARY, MarkFilter, tell_cuts
from bot.text.marks import END
from tests.support.model_api import SCOPE, open_bench

MARKS = ("[cut off here]", AFTER_CUT.strip(), LEFT_OUT, END)
HEADS = tuple(mark.strip() for mark in (SUMMARY, CONTEXT, ABOUT))


def sift(text: str, step: int) -> str:
    marks = MarkFilter()
    shown = "".join(marks.feed(text[at : at + step]) for at in range(0, len(text), step))
    return shown + marks.finish()


@pytest.mark.parametrize("step", [1, 5, 1000])
@pytest.mark.parametrize("mark", [*MARKS, *(mark.upper() for mark in MARKS)])
def test_a_mark_at_the_end_of_a_line_or_of_the_answer_is_not_shown(mark: str, step: int) -> None:
    assert sift(f"Paris. {mark}", step).rstrip(" ") == "Paris."
    lines = sift(f"Paris. {mark}\nRome.", step).split("\n")
    assert [line.rstrip(" ") for line in lines] == ["Paris.", "Rome."]
    assert sift(mark, step) == ""


@pytest.mark.parametrize("step", [1, 5, 1000])
@pytest.mark.parametrize("mark", [AFTER_CUT.strip(), LEFT_OUT])
def test_a_mark_that_we_put_before_words_is_not_shown_before_words(mark: str, step: int) -> None:
    assert sift(f"{mark} Sure!\n{mark}  And: {mark} x", step) == f"Sure!\nAnd: {mark} x"


@pytest.mark.parametrize("step", [1, 5, 1000])
@pytest.mark.parametrize("head", HEADS)
def test_an_answer_ends_where_it_begins_to_write_our_part_of_the_prompt(head: str, step: int) -> None:
    assert sift(f"Paris.\n\n{head}\nIt is Monday.", step).strip() == "Paris."
    assert sift(f"{head}\nIt is Monday.", step) == ""
    assert sift(f"Paris.\n{head}", step).strip() == "Paris."


@pytest.mark.parametrize("step", [1, 5, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "The mark [cut off here] stands in old threads.",
        "He wrote “[About this message]” above it.",
        "a[0] = b[cut]\nlist[int]\n[",
        "[cut off her",
        "- [ ] task\n- [x] done\n[link](https://example.com)",
        "[cut off here] and then it goes on",
        "word [About this message]",
    ],
)
def test_everything_else_is_shown_letter_for_letter(text: str, step: int) -> None:
    assert sift(text, step) == text


@given(st.text(alphabet="[]cut of hera\n AbC", max_size=60), st.integers(min_value=1, max_value=9))
def test_the_text_is_the_same_however_it_is_chunked(text: str, step: int) -> None:
    assert sift(text, step).rstrip(" \t") == sift(text, 1000).rstrip(" \t")


def test_that_an_answer_was_cut_is_told_with_what_was_said_next() -> None:
    told = tell_cuts(
        [
            Message("human", "Tell me"),
            Message("assistant", "Once upon [cut off here]", whole=False),
            Message("human", "Go on"),
            Message("assistant", "a time."),
            Message("human", "Thanks"),
        ]
    )
    texts = [message.text for message in told]
    assert [text.strip() for text in texts] == [
        "Tell me",
        "Once upon",
        f"{AFTER_CUT}Go on",
        "a time.",
        "Thanks",
    ]


@pytest.mark.parametrize("style", ["transcript", "chat", "responses"])
async def test_no_style_shows_the_model_a_mark_in_its_own_words_or_a_person_an_imitated_one(
    tmp_path: Path, style: str
) -> None:
    history = (Message("human", "Hi"), Message("assistant", "It is", whole=False), Message("human", "Go on"))
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.script("It is late. [cut off here]", tokens_per_s=200)
        completion = await bench.provider.complete(Prompt("", history), SCOPE)
        assert completion.text.rstrip() == "It is late."
        asked = bench.model.requests[-1].prompt
        assert asked.count("cut off") == 1
        assert "It is [" not in asked
