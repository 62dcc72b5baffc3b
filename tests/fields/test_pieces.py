"""A document is put together again from its chunks, and divided where another piece of its kind begins."""

from __future__ import annotations

from bot.documents.chunks import cut_into_chunks
from bot.documents.values import DocumentText, Section
from bot.fields.checks import judge
from bot.fields.forms import parse
from bot.fields.patterns import Learned
from bot.fields.pieces import PART_CHARACTERS, DocumentPiece, PageText, cut_into_parts, divide, gather_pages
from bot.fields.proposals import Proposal
from storage.knowledge.chunks import ChunkRow


def pages_of(*sections: Section) -> list[PageText]:
    text = DocumentText("pdf", "it", sections, len(sections))
    rows = [
        ChunkRow(one.number, one.heading, one.page, one.place, one.start, one.end, one.text, "")
        for one in cut_into_chunks(text)
    ]
    return gather_pages(rows)


def bill(number: int, more: str = "") -> str:
    return f"Invoice\nInvoice number: INV-{number}\nTotal: EUR {number}.00{more}"


def test_every_word_of_a_page_comes_once_though_chunks_overlap() -> None:
    words = [f"word{n}." for n in range(900)]
    (one, other) = pages_of(Section(" ".join(words[:600]), page=1), Section(" ".join(words[600:]), page=2))
    assert (one.text + " " + other.text).split() == words


def test_the_head_of_a_table_stands_above_its_rows_once() -> None:
    rows = "\n".join(f"{n} | {n}.00" for n in range(300))
    (page,) = pages_of(Section(rows, page=1, table_header="Item | Amount"))
    assert page.text.count("Item | Amount") == 1
    assert page.text.splitlines()[0] == "Item | Amount"


def test_a_hundred_invoices_in_one_file_are_a_hundred_pieces() -> None:
    pieces = divide(pages_of(*(Section(bill(n), page=n) for n in range(1, 101))))
    assert [(piece.number, piece.page) for piece in pieces] == [(n, n + 1) for n in range(100)]


def test_the_pages_of_one_invoice_stay_together() -> None:
    texts = [bill(1), "and so on", bill(1), bill(2), "Project no: 8"]
    pieces = divide(pages_of(*(Section(text, page=n) for n, text in enumerate(texts, 1))))
    assert [[page.page for page in piece.pages] for piece in pieces] == [[1, 2, 3], [4, 5]]


def test_several_on_one_page_are_divided_where_each_begins() -> None:
    pieces = divide(pages_of(Section("\n".join(map(bill, (1, 2, 3))))))
    assert [piece.text for piece in pieces] == [bill(n) for n in (1, 2, 3)]


def test_what_has_no_number_is_one_piece() -> None:
    assert len(divide(pages_of(Section("A contract.", page=1), Section("It ends.", page=2)))) == 1


def test_a_long_piece_is_asked_in_parts_that_hold_all_of_it() -> None:
    piece = DocumentPiece(0, tuple(PageText(n, "", f"line {n}\n" * 2_000) for n in range(1, 4)))
    parts = cut_into_parts(piece)
    assert len(parts) > 1
    assert all(len(part.text) <= PART_CHARACTERS + 9 for part in parts)
    assert "".join(page.text for part in parts for page in part.pages) == "".join(p.text for p in piece.pages)


def test_a_line_of_blanks_or_of_a_thousand_sums_takes_no_longer_than_another() -> None:
    """Each of these lines would be read for hours where one had to try every way to read it."""
    for line in ("no" + " " * 8_000 + "!", "1 EUR " * 1_500, "Total: 7 EUR  " * 1_000):
        pages = pages_of(Section(f"{line}\nTotal: EUR 5.00", page=1))
        (piece,) = divide(pages)
        judge(
            parse("invoice: number, total"),
            piece,
            [Proposal("total", "5.00", 1, "Total: EUR 5.00")],
            Learned(),
        )
