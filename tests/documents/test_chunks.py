"""Chunks: nothing lost, positions right, of a size, cut where a person would."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bot.documents.chunks import HEADER, SLACK, TARGET, cut_into_chunks
from bot.documents.values import Chunk, DocumentText, Section

WORDS = st.sampled_from(
    ["a", "lamp", "is", "repaired.", "\n", "\n\n", " ", "Ünder", "第三条。", "年假", "1,200 €", "x" * 1_500]
)
TEXTS = st.lists(WORDS, max_size=400).map(" ".join)
SECTIONS = st.builds(
    Section,
    text=TEXTS,
    heading=st.sampled_from(["", "Leave", "Leave › Sick"]),
    page=st.integers(0, 3),
    place=st.sampled_from(["", "page 1"]),
    table_header=st.sampled_from(["", "", "Day | Hours", "h" * 900]),
)


def document(*sections: Section) -> DocumentText:
    return DocumentText("text", "T", sections, 0)


@given(st.lists(SECTIONS, max_size=6))
def test_every_character_is_in_a_chunk_and_each_chunk_is_where_it_says(sections: list[Section]) -> None:
    whole = document(*sections)
    chunks = cut_into_chunks(whole)
    covered = bytearray(len(whole.text))
    for number, chunk in enumerate(chunks):
        assert chunk.number == number
        assert chunk.text.endswith(whole.text[chunk.start : chunk.end])
        assert chunk.text.strip()
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    missing = [letter for letter, there in zip(whole.text, covered, strict=True) if not there]
    assert not "".join(missing).strip()
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)


@given(st.lists(SECTIONS, max_size=6))
def test_no_chunk_is_much_larger_than_a_model_and_an_embedder_like(sections: list[Section]) -> None:
    for chunk in cut_into_chunks(document(*sections)):
        assert len(chunk.text) <= TARGET + SLACK + HEADER + 2 * 150


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def test_a_chunk_has_the_heading_and_page_of_its_section_and_never_mixes_two() -> None:
    chunks = cut_into_chunks(
        document(
            Section("Thirty days a year.", "Leave", 2, "page 2"),
            Section("Five of them move on.", "Leave", 2, "page 2"),
            Section("A note from day four.", "Illness", 2, "page 2"),
        )
    )
    assert [(chunk.heading, chunk.page, chunk.place) for chunk in chunks] == [
        ("Leave", 2, "page 2"),
        ("Illness", 2, "page 2"),
    ]
    assert chunks[0].text == "Thirty days a year.\n\nFive of them move on."


def test_neighbours_share_whole_sentences() -> None:
    sentences = [f"Rule {n} says that lamp number {n} is cleaned on day {n} of the month." for n in range(60)]
    chunks = cut_into_chunks(document(Section(" ".join(sentences))))
    assert len(chunks) > 3
    for chunk, after in itertools.pairwise(chunks):
        assert chunk.text.endswith(".")
        assert after.text.startswith("Rule")
        assert after.start < chunk.end


def test_a_sentence_that_goes_on_at_the_next_page_is_whole_in_its_chunk() -> None:
    chunks = cut_into_chunks(
        document(
            Section("The office is closed on Sundays. The notice period is", "Rules", 1, "page 1"),
            Section("three months from the fifth year on.", "Rules", 2, "page 2"),
        )
    )
    assert chunks[1].text == "The notice period is\n\nthree months from the fifth year on."
    assert chunks[1].page == 2


def test_each_chunk_of_a_table_begins_with_its_header_and_holds_whole_rows() -> None:
    rows = [f"GW-{n} | Garden lamp number {n}, brass | {n * 3}.50" for n in range(80)]
    chunks = cut_into_chunks(document(Section("\n".join(rows), table_header="SKU | Name | Price")))
    assert len(chunks) > 2
    assert all(chunk.text.startswith("SKU | Name | Price\nGW-") for chunk in chunks)
    assert [line for chunk in chunks for line in chunk.text.splitlines()[1:]] == rows


def test_a_script_with_a_token_for_each_letter_is_cut_shorter() -> None:
    latin = cut_into_chunks(document(Section("The lamp is repaired. " * 200)))
    chinese = cut_into_chunks(document(Section("员工每年享有三十天的年假。" * 200)))
    assert max(map(len, texts(chinese))) * 2 < max(map(len, texts(latin)))
    assert all(text.endswith("。") for text in texts(chinese))


def test_a_sentence_goes_on_at_the_next_page_but_never_at_the_next_slide() -> None:
    sections = (Section("Rent is due on", "", 1, "page 1"), Section("the first of May.", "", 2, "page 2"))
    assert texts(cut_into_chunks(document(*sections)))[1].startswith("Rent is due on")
    slides = DocumentText("pptx", "T", sections, 2)
    assert texts(cut_into_chunks(slides))[1] == "the first of May."
