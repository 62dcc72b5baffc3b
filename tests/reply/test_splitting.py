"""Long answers in several messages: nothing lost, blocks whole or closed and opened again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from handlers.reply.splitting import LIMIT, PLAIN_BYTES, Rotation, split, strip_markdown

WORDS = st.lists(st.sampled_from(["word", "longerword", "é", "漢字", "🎉", "\n", "\n\n", " "]), max_size=80)
PLAIN_TEXT = WORDS.map(" ".join)
BLOCKS = st.lists(
    st.sampled_from(
        [
            "A paragraph of some words that goes on.\n\n",
            "- one\n- two\n\n",
            "```python\nprint(1)\n\nprint(2)\n```\n",
            "````md\n```\ninner\n```\n````\n",
            "~~~\ntilde\n~~~\n\n",
            "> ```sh\n> quoted\n>\n> ```\n\n",
            "- item\n  ```\n  listed\n  ```\n\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n",
        ]
    ),
    max_size=12,
).map("".join)
SIZES = st.integers(90, 200)


def units(text):
    return len(text.encode("utf-16-le")) // 2 + sum(text.count(char) for char in '\n\t"\\')


def read(text_parts):
    """Code lines, and the words of everything else, as a reader sees them; heads of tables left out."""
    lines, words = [], []
    for text in text_parts:
        for token in MarkdownIt("commonmark").enable("table").parse(text):
            if token.type == "fence":
                lines += [line for line in token.content.splitlines() if line]
            elif token.type == "inline" and token.content not in ("a", "b"):
                words += token.content.split()
    return lines, words


@given(PLAIN_TEXT, SIZES)
def test_parts_of_prose_joined_are_the_text(text, limit):
    assert "".join(split(text, limit)) == text


@given(PLAIN_TEXT | BLOCKS, SIZES)
def test_no_part_is_longer_than_the_limit(text, limit):
    assert max(units(part) for part in split(text, limit)) <= limit


@given(BLOCKS, SIZES)
def test_every_block_is_read_as_what_it_was(text, limit):
    assert read(split(text, limit)) == read([text])


@given(PLAIN_TEXT | BLOCKS, SIZES, st.integers(1, 30))
def test_a_growing_text_rotates_within_the_limit_and_loses_nothing(text, limit, step):
    rotation = Rotation(limit)
    messages, pending = [""], ""
    for start in range(0, len(text), step):
        pending += text[start : start + step]
        while pending:
            piece, pending = rotation.take(pending)
            messages[-1] += piece
            if rotation.full:
                messages[-1] += rotation.close()
                messages.append("")
    assert max(map(units, messages)) <= limit
    letters = "".join(c for c in text if c.isalnum())
    assert len("".join(c for m in messages for c in m if c.isalnum())) >= len(letters)
    if "```" not in text and "~~~" not in text and "|" not in text:
        assert "".join(messages) == text


def test_a_short_text_is_one_message():
    assert split("Hello") == ["Hello"]
    assert split("x" * LIMIT) == ["x" * LIMIT]
    assert len(split("x" * (LIMIT + 1))) == 2


def test_a_break_falls_between_paragraphs_if_it_can():
    text = "a " * 30 + "\n\n" + "b " * 10 + "\n" + "c " * 10
    assert split(text, 100)[0] == "a " * 30 + "\n\n"


def test_else_between_lines_else_between_words():
    assert split("a " * 30 + "\n" + "b " * 30, 100)[0] == "a " * 30 + "\n"
    assert split("word " * 30, 99)[0] == "word " * 19


def test_a_block_that_has_to_be_broken_is_closed_and_opened_again():
    first, second = split("```python\n" + "print(1)\n" * 10 + "```", 77)
    assert first == "```python\n" + "print(1)\n" * 6 + "```"
    assert second == "```python\n" + "print(1)\n" * 4 + "```"


def test_a_block_in_a_quote_or_a_list_is_closed_and_opened_again_where_it_stands():
    quoted = split("> ```py\n" + "> print(1)\n" * 10 + "> ```", 90)
    assert quoted[0].endswith("> print(1)\n> ```")
    assert quoted[1].startswith("> ```py\n> print(1)\n")
    listed = split("- do\n  ```\n" + "  print(1)\n" * 10 + "  ```", 90)
    assert listed[0].endswith("  print(1)\n  ```")
    assert listed[1].startswith("  ```\n  print(1)\n")


@pytest.mark.parametrize("opening", ["`" * 11_000, "```" + "x" * 11_000, "> " * 5_000 + "```"])
def test_what_opens_a_block_is_never_repeated_so_often_that_it_fills_the_messages(opening):
    parts = split(opening + "\n" + "code line\n" * 3_000)
    assert len(parts) <= 6
    assert sum(map(len, parts)) < 60_000


def test_a_block_that_fits_into_the_next_message_is_not_broken():
    code = "```\n" + "x\n" * 15 + "```\n"
    assert split("word " * 12 + "\n\n" + code, 80) == ["word " * 12 + "\n\n", code]


def test_a_table_that_has_to_be_broken_gets_its_head_again():
    head = "| a | b |\n|---|---|\n"
    first, second = split(head + "| 1 | 2 |\n" * 10, 84)
    assert first.startswith(head)
    assert second.startswith(head + "| 1 | 2 |\n")
    assert (first + second).count("| 1 | 2 |\n") == 10


def test_a_growing_message_ends_early_at_a_paragraph():
    rotation = Rotation(1000)
    assert rotation.take("a" * 895) == ("a" * 895, "")
    assert rotation.take("bb\nbb\n\nccc") == ("bb\nbb\n\n", "ccc")
    assert rotation.full
    assert rotation.close() == ""
    assert rotation.take("ccc") == ("ccc", "")


def test_a_message_may_be_closed_at_any_time():
    rotation = Rotation()
    rotation.take("Look:\n```sh\nls -")
    assert rotation.close() == "\n```"
    assert rotation.take("la\n```\n") == ("```sh\nla\n```\n", "")
    assert rotation.close() == ""


def test_what_slack_did_not_take_can_be_taken_again():
    rotation = Rotation(100)
    rotation.take("Look:\n```sh\n" + "ls\n" * 20)
    rotation.close()
    first = rotation.take("done\n```\nend")
    assert rotation.undo() == "done\n```\nend"
    assert rotation.take("done\n```\nend") == first == ("```sh\ndone\n```\nend", "")
    assert rotation.close() == ""


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**Bold** and `code` and ~~gone~~", "Bold and code and gone"),
        ("# Title\n\ntext", "Title text"),
        ("see [the docs](https://a.example/x) ![p](https://a.example/p.png)", "see the docs p"),
        ("```python\na < b\n```", "a &lt; b"),
        ("a &lt; b & c", "a &lt; b &amp; c"),
        ("<@U1> &lt;@U2>", "<@U1> &lt;@U2&gt;"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "| a | b | | 1 | 2 |"),
        ("2 * 3 * 4, snake_case_name, *stress*", "2 * 3 * 4, snake_case_name, stress"),
        ("evil.\u2060example", "evil.\u2060example"),
        ("", ""),
    ],
)
def test_plain_text_of(markdown, text):
    assert strip_markdown(markdown) == text


@given(st.text(st.sampled_from("a& <>é漢🎉\n*`|-<@U1>"), max_size=200), st.integers(1, 60))
def test_plain_text_is_escaped_and_short(markdown, times):
    text = strip_markdown(markdown * times)
    assert len(text.encode()) <= PLAIN_BYTES
    bare = text.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
    assert "&" not in bare


def test_a_long_text_is_cut_in_plain_view():
    text = strip_markdown("& " * 5000)
    assert text.endswith("…")
    assert len(text.encode()) <= PLAIN_BYTES


@pytest.mark.parametrize("line", ["code\n", '"quoted" \\ ', "|\t|\n", "漢字🎉\n"])
def test_a_part_is_within_the_limit_also_as_json(line):
    parts = split(line * 5000, LIMIT)
    written = [json.dumps(part, ensure_ascii=False).encode("utf-16-le") for part in parts]
    assert max(len(units) // 2 - len('""') for units in written) <= LIMIT
    assert max(map(len, parts)) > LIMIT // 2


def test_the_head_of_a_table_is_not_parted_to_fill_a_message():
    code, table = "```\ncode\n```\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert split(code + table, 34) == [code, table]
