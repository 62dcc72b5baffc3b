"""What is no part of an answer is taken out while it streams; what only speaks of it stays."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.provider.reasoning import ReasoningFilter


def run(parts: Iterable[str], *, cut: bool = False, **how: bool) -> tuple[str, str, bool]:
    """The text that stays, how a mark ended it, whether it ended within reasoning."""
    answer = ReasoningFilter(**how)
    shown: list[str] = []
    for part in parts:
        take(shown, answer, answer.feed(part))
        if answer.ended:
            return "".join(shown), answer.ended, answer.unclosed
    take(shown, answer, answer.finish(cut=cut))
    return "".join(shown), answer.ended, answer.unclosed


def take(shown: list[str], answer: ReasoningFilter, text: str) -> None:
    if answer.taken_back:
        shown.clear()
    shown.append(text)


def kept(text: str, **how: bool) -> str:
    """What stays of a text, which is the same letter by letter."""
    whole = run([text], **how)
    assert run(text, **how) == whole
    return whole[0].strip()


ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>final<|message|>"
REASONED = [
    "<think>\nThe secret plan.\n</think>\n\n{}",
    "<think></think>\n{}",
    "<think>\n\n</think>\n\n{}",
    "\n <THINK>The secret</think>{}",
    "<thinking>The secret</thinking>\n{}",
    "<thought>The secret</thought>\n{}",
    "<reasoning>The secret</reasoning>\n{}",
    "<reason>The secret</reason>{}",
    "<seed:think>The secret</seed:think>{}",
    "<mm:think>The secret</mm:think>{}",
    "[THINK]The secret[/THINK]{}",
    "◁think▷The secret◁/think▷{}",
    "<|START_THINKING|>The secret<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
    "<|begin_of_thought|>The secret<|end_of_thought|>\n<|begin_of_solution|>{}<|end_of_solution|>",
    "<|channel>thought\nThe secret<channel|>{}",
    "<think>The secret</think>\n<answer>\n{}\n</answer>",
    "<think>\n<think>\nThe secret</think>{}",
    "<think>It ends with `</think>`, the secret</think>{}",
    "<think>\n```\n<think>\n```\nThe secret</think>{}",
    "The secret plan.\n</think>\n\n{}",
    "The secret plan.</think>{}",
    "The secret: `x = 1`\n</think>\n{}",
    "The secret. </think>\n{}",
    "</think>\n\n{}",
    "The secret\n</thinking>\n{}",
    "The secret[/THINK]{}",
    "The <|box_start|>secret\n</think>{}",
    "<think>The secret</think>\n<think>The secret</think>\n{}",
    f"{ANALYSIS}The secret<|end|>{FINAL}{{}}<|return|>",
    "<|channel|>final<|message|>{}",
    "<|start|>assistant<|channel|>analysis<|message|>The secret<|end|>"
    "<|start|>assistant<|channel|>commentary<|message|>The secret<|end|>"
    "<|start|>assistant<|channel|>final <|constrain|>text<|message|>{}<|end|>",
    f"{ANALYSIS}The secret{FINAL}{{}}",
    f"The secret<|end|>{FINAL}{{}}",
    "<|start|>assistant<|message|>{}",
    "analysisThe user wants to know the secret.assistantfinal{}",
]


@pytest.mark.parametrize("form", REASONED)
@pytest.mark.parametrize(
    "answer",
    [
        "The release is on Friday.",
        "`x`",
        "**Yes**: a < b, x[1] <b>",
        "# One\n- two",
        "it is",
        '"No", he said',
    ],
)
def test_reasoning_is_no_part_of_the_answer(form: str, answer: str) -> None:
    assert kept(form.format(answer)) == answer


@pytest.mark.parametrize(
    "form",
    [
        "Sure.\n\n<think>\nThe secret\n</think>\n\nFriday.",
        "Sure.<think>The secret</think> Friday.",
        "Sure.\n[THINK]The secret[/THINK]\nFriday.",
        "Sure.\n<think>The secret</think>\nOr:\n<think>The secret</think>\nFriday.",
        f"Sure.{ANALYSIS}The secret<|end|>{FINAL}Friday.",
    ],
)
def test_reasoning_between_parts_of_an_answer_goes_too(form: str) -> None:
    text = kept(form)
    assert "secret" not in text
    assert "think" not in text.lower()
    assert text.startswith("Sure.")
    assert text.endswith("Friday.")


SPEAKS = [
    "Use `<think>` and `</think>` around reasoning.",
    "Wrap it: `<think>a plan</think>answer`.",
    "``a ` <think> b``",
    "First comes `<think>`, then </think>\nand then the answer.",
    "```xml\n<think>\nplan\n</think>\nanswer\n```\nThat is all.",
    "~~~\n<|im_start|>user\nhi<|im_end|>\n~~~\nThat is ChatML.",
    "- like\n  ```text\n  <think>x</think>\n  ```\n- and so on",
    "> ```\n> [INST] hi [/INST]\n> ```\n",
    "So:\n\n    <think>indented</think>\nThat is code.",
    "So:\n\n    </think>\n\ncloses it.",
    "DeepSeek writes between <think> and </think> tags.",
    "It is wrapped in <think>…</think> tags, as in <thinking>...</thinking>.",
    'The tag "<think>" opens and "</think>" closes it.',
    "The tags (<think>, </think>) are special.",
    "**<think>**: opens; **</think>**: closes.",
    "- <think>: opens the reasoning\n- </think>: closes it",
    "| <think> | opens |\n|---|---|",
    "模型使用<think>标签来思考</think>。",
    "ChatML ends a turn with <|im_end|>, Llama 3 with <|eot_id|>.",
    "The token <|endoftext|> ends a document and </s> ends a sequence.",
    "</s> is the end of a sequence.",
    "Mistral puts a question between [INST] and [/INST] markers.",
    r"Escaped: \<think> stays.",
    "The price was <s>10</s> and is 8.",
    "A List<String> x; a[0] <= b [link](https://example.com) [x] [TODO] <br> <details> </details> 1 << 2",
    "<answer>42</answer>",
    "As XML: <order><reason>Damaged</reason><thought>x</thought></order>",
    "analysis of the data",
    "analyst",
    "a",
    "Think: <thinkpad> is a laptop.",
    "x <| f |> y",
    "if a<b and c>d: <3 ◁ [",
]


@pytest.mark.parametrize("text", SPEAKS)
def test_what_speaks_of_marks_or_only_looks_like_them_stays_letter_for_letter(text: str) -> None:
    assert run([text]) == run(text) == (text, "", False)


@pytest.mark.parametrize(
    "form",
    [
        "{}<|im_end|>",
        "{}</s>",
        "{}\n</s>\n",
        "{} </s>",
        "{}<|im_end|>\n<|im_start|>user\nthanks<|im_end|>",
        "{}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nthanks",
        "{}<end_of_turn>\n<start_of_turn>user\nthanks",
        "{}<|endoftext|>thanks",
        "{}<|end|>\n<|user|>\nthanks",
        "{}<｜end▁of▁sentence｜><｜User｜>thanks",
        "{}[/INST]thanks",
        "{}\n[INST] Thanks [/INST]",
        "<|im_start|>assistant\n{}<|im_end|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
        "<start_of_turn>model\n{}<end_of_turn>",
        "<|assistant|>\n{}<|end|>",
        "<s>[/INST] {}</s>",
        "<bos>{}<eos>",
        "<|channel|>final<|message|>{}<|end|><|start|>user<|message|>thanks",
    ],
)
def test_an_answer_ends_at_a_token_of_its_template(form: str) -> None:
    text = "The release is on Friday."
    assert kept(form.format(text)) == text


def test_an_answer_may_begin_with_markup_behind_a_token() -> None:
    assert kept("[/INST]**Yes**") == "**Yes**"


def test_unknown_tokens_say_nothing() -> None:
    assert kept("<|reserved_special_token_5|>42<|box_end|>") == "42"


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "search"}\n</tool_call>',
        '<think>I search.</think>\n<tool_call>{"name": "search"}</tool_call>',
        '[TOOL_CALLS][{"name": "search"}]',
        "<|python_tag|>search()",
        "<｜tool▁calls▁begin｜>search",
        "<|tool_calls_section_begin|>search",
        '<|channel|>commentary to=functions.search <|constrain|>json<|message|>{"q": 1}<|call|>',
        '<|start|>assistant<|channel|>commentary to=functions.search<|message|>{"q": 1}',
    ],
)
def test_a_call_that_is_written_into_the_text_is_a_wish_for_a_tool(text: str) -> None:
    assert run([text]) == run(text)
    shown, ended, _ = run(text)
    assert (shown.strip(), ended) == ("", "tools")


@pytest.mark.parametrize(
    "text", ["<think>The secret", "<|channel|>analysis<|message|>The secret", "[THINK]x"]
)
def test_reasoning_without_an_end_is_known(text: str) -> None:
    assert run([text]) == run(text) == ("", "", True)


def test_text_before_reasoning_without_an_end_stays() -> None:
    assert run("Friday.\n<think>\nThe secret") == ("Friday.\n", "", True)


# Reasoning that nothing opens


def test_what_was_shown_of_reasoning_is_taken_back_and_the_model_is_known() -> None:
    answer = ReasoningFilter()
    assert answer.feed("The secret") == "The secret"
    assert not answer.taken_back
    assert answer.feed(" plan.\n</think>\n\nFriday") == "\n\nFriday"
    assert answer.taken_back
    assert answer.feed(" it is.") == " it is."
    assert not answer.taken_back
    assert answer.hidden_start


def test_of_a_known_model_nothing_is_shown_before_the_tag() -> None:
    answer = ReasoningFilter(hidden_start=True)
    assert [answer.feed(part) for part in ("The secret", " plan", ".\n</think>", "\n\n")] == [
        "",
        "",
        "",
        "\n\n",
    ]
    assert answer.feed("Friday") == "Friday"
    assert answer.feed(" it is") == " it is"
    assert not answer.taken_back
    assert answer.hidden_start


@pytest.mark.parametrize("text", ["Friday.", "In `</think>` code.", "<think>x</think>Friday."])
def test_an_answer_of_a_known_model_without_the_tag_is_shown_at_its_end(text: str) -> None:
    assert kept(text, hidden_start=True) == kept(text)


def test_a_known_model_that_was_cut_had_not_come_to_its_answer() -> None:
    assert run(["The secret"], hidden_start=True, cut=True) == ("", "", True)


@pytest.mark.parametrize(
    "answer", ["**Yes**", "- one", "| a |", "_so_", '"No"', "…", "It is", "(so)", "— well", "42", "周五"]
)
@pytest.mark.parametrize(
    "secret", ["The secret.</think>", "The secret.\n</think>", "The secret. </think>", "周四</think>"]
)
def test_reasoning_that_nothing_opened_ends_before_any_answer(secret: str, answer: str) -> None:
    assert kept(secret + answer) == answer


def test_after_reasoning_was_found_a_closing_tag_takes_nothing_back() -> None:
    assert kept("<think>a</think>One.</think>Two.") == "One.Two."
    assert kept("<think>a</think>Use </think> to close.") == "Use </think> to close."


# Streaming

PIECES = [
    *("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "<answer>", "</answer>"),
    *("<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|start|>", "assistant", "user"),
    *(
        "<|im_end|>",
        "<|im_start|>",
        "</s>",
        "<s>",
        "[/INST]",
        "<tool_call>",
        "<|x|>",
        "<|call|>",
        "<|return|>",
    ),
    *("`", "```", "\n", "\n\n", " ", ", ", ".", "<", "[", "words", "Word", "    ", "- ", "界"),
    *("assistantfinal", "analysisWe", "to=functions.x"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("<.```[/THINK]Wordassistant\n\n", [3, 6, 20]),
        ("<`[THINK]assistant>", [2, 9, 11]),
        ("\n\nanalysisWe.wordsassistantfinal[THINK]", [2, 8, 13]),
    ],
)
def test_a_mark_within_what_may_become_a_mark_waits_for_it(text: str, at: list[int]) -> None:
    parts = [text[a:b] for a, b in pairwise([0, *at, len(text)])]
    assert run(parts) == run([text])


@settings(max_examples=200)
@given(TEXTS, st.lists(st.integers(0, 120), max_size=12), st.booleans())
def test_every_chunking_gives_the_same_answer(text: str, cuts: list[int], hidden_start: bool) -> None:
    borders = [0, *sorted({min(at, len(text)) for at in cuts}), len(text)]
    parts = [text[a:b] for a, b in pairwise(borders)]
    assert run(parts, hidden_start=hidden_start) == run([text], hidden_start=hidden_start)


@given(st.text(max_size=80))
def test_text_without_marks_is_never_changed(text: str) -> None:
    if not set(text) & set("<[◁"):
        assert run(text) == (text, "", False)


def test_only_what_may_become_a_mark_is_held_back() -> None:
    answer = ReasoningFilter()
    parts = [
        "The ",
        "`x` ",
        "Fri",
        "day\n",
        "[",
        "1] ",
        "<",
        "b",
        "> a<",
        " b</thi",
        "s",
        "> ",
        "<think>",
        " is ok",
    ]
    shown = [
        "The ",
        "`x` ",
        "Fri",
        "day\n",
        "",
        "[1] ",
        "",
        "",
        "<b> a",
        "< b",
        "",
        "</this> ",
        "",
        "<think> is ok",
    ]
    assert [answer.feed(part) for part in parts] == shown
    assert answer.finish() == ""
    assert not answer.hidden_start
    assert ReasoningFilter().feed("analysis of data. A") == "analysis of data. A"


@pytest.mark.parametrize(
    "part", ["<think", "<|im_end|> and so ", "x `<think>` ", "words ", "<", "[A", "`", "<think>\n", "\n"]
)
@pytest.mark.parametrize("start", ["Text ", "<think>", "x\n</think>\n"])
def test_the_work_grows_with_the_text_and_no_faster(start: str, part: str) -> None:
    def work_s(times: int) -> float:
        answer = ReasoningFilter()
        answer.feed(start)
        began = time.process_time()
        for _ in range(times):
            answer.feed(part)
        answer.finish()
        return time.process_time() - began

    work_s(200)
    assert work_s(8_000) < 20 * max(work_s(1_000), 0.002)
