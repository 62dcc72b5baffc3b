"""The documents of #handbook are what their texts make, page for page."""

from __future__ import annotations

import zipfile

import pytest

from bot.sandbox.documents.make import DOCUMENTS, HERE, made
from bot.sandbox.documents.pdf_file import write_pdf
from bot.sandbox.documents.text_pages import TextBlock, read_pages
from bot.sandbox.rehearsal.passages import find_evidence


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_its_text_makes(name: str) -> None:
    assert (HERE / name).read_bytes() == made(name), "run `python -m bot.sandbox.documents.make`"


def test_each_page_of_the_text_is_a_page_of_the_file() -> None:
    handbook, slides = (len(read_pages((HERE / text).read_text("utf-8"))) for text, _ in DOCUMENTS.values())
    assert b"/Count %d " % handbook in (HERE / "team_handbook.pdf").read_bytes()
    with zipfile.ZipFile(HERE / "moving_to_ghent.pptx") as deck:
        assert sum(name.startswith("ppt/slides/slide") for name in deck.namelist()) == slides


def test_a_page_that_does_not_hold_its_text_is_not_written() -> None:
    with pytest.raises(ValueError, match="too much for one page"):
        write_pdf([[TextBlock("text", "word " * 2_000)]], title="Long")


def test_a_text_is_read_into_headings_points_and_rows() -> None:
    (first, second) = read_pages(
        "# Prices\n\nOne\ntwo.\n- a\n\n| x | y |\n|---|---|\n| 1 | 2 |\n<!-- page -->\n## End"
    )
    assert [block.kind for block in first] == ["h1", "text", "point", "table"]
    assert first[1].text == "One two."
    assert first[3].rows == (("x", "y"), ("1", "2"))
    assert second == [TextBlock("h2", "End")]


def ask_about(*sentences: str, question: str) -> str:
    found = find_evidence(list(enumerate(sentences, start=1)), question)
    return found.text if found else ""


def test_the_rehearsal_model_takes_the_line_that_is_meant() -> None:
    handbook = (
        "Up to five days move to the next year.\nThe door code changes every quarter.",
        "Occasion | Days off\nWedding of your own | 3\nMoving house | 1",
    )
    told = ask_about(*handbook, question="How many days off do I get when I move house?")
    assert told == "Moving house – Days off: 1."
    assert ask_about(*handbook, question="What is the dress code?") == ""
    assert ask_about(*handbook, question="What is this?") == ""
    allowance = "For meals there is an allowance:\nCountry | Full day\nFrance | 58\nGermany | 52"
    assert (
        ask_about(allowance, question="What is the allowance for meals in France?")
        == "France – Full day: 58."
    )
