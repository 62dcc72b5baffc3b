"""Whatever words of a document a model points at: what names a bill or a firm is right, or marked."""

from __future__ import annotations

import pytest

from bot.fields.checks import judge
from bot.fields.forms import parse
from bot.fields.patterns import Learned, learn, settle
from bot.fields.pieces import DocumentPiece, PageText, gather_pages
from bot.fields.proposals import Proposal
from bot.fields.values import FieldForm, Value
from storage.fields.reviews import StoredReview
from storage.knowledge.chunks import ChunkRow

FORM = parse("invoice: number, date, supplier, total with currency")
LETTER = """Elbtal Metal Ltd · Harbour Street 8 · Hull
Moorland Weather Ltd
Invoice number: INV-7
Invoice date: 3 April 2026
Subtotal 100.00 EUR
Total 120.00 EUR"""
LABELLED = "Sagebrush Catering\nBill to: Pine School\nInvoice no: 7 of 9\nTotal: 4.00 EUR"


def read(
    text: str, field: str, said: str, *, form: FieldForm = FORM, learned: Learned | None = None
) -> Value:
    piece = DocumentPiece(0, (PageText(1, "page 1", text),))
    line = next(line for line in text.splitlines() if said in line)
    values = judge(form, piece, [Proposal(field, said, 1, line)], learned or Learned())
    return next(value for value in values if value.field == field)


def _review(field: str, pattern: str) -> StoredReview:
    where = ("row", field, "form", "document", "T", "C", "U", "confirmed")
    return StoredReview(*where, "", "", 1, "", "", pattern, 1.0)


@pytest.mark.parametrize(
    "said", ["Total", "Invoice number", "Elbtal", "100.00", "3 April 2026", "Hull", "Metal Ltd"]
)
def test_other_words_than_a_firm_are_no_supplier_for_sure(said: str) -> None:
    assert read(LETTER, "supplier", said).state == "doubtful"


@pytest.mark.parametrize("said", ["3 April 2026", "number", "3", "2026"])
def test_a_day_or_a_word_is_no_number_of_a_bill(said: str) -> None:
    assert read(LETTER.replace("date: 3", "number 3"), "number", said).state == "doubtful"


def test_of_two_firms_that_no_label_tells_apart_somebody_says_who_wrote_once() -> None:
    doubtful = read(LETTER, "supplier", "Elbtal Metal Ltd")
    assert [one.value for one in doubtful.candidates] == ["Elbtal Metal Ltd", "Moorland Weather Ltd"]
    pattern = settle(doubtful, doubtful.candidates[0])
    learned = learn([_review("supplier", pattern)])
    other = LETTER.replace("Elbtal Metal", "Dockside Tools")
    assert read(LETTER, "supplier", "Elbtal Metal Ltd", learned=learned).state == "ok"
    assert read(other, "supplier", "Dockside Tools Ltd", learned=learned).state == "ok"
    assert read(LETTER, "supplier", "Moorland Weather Ltd", learned=learned).state == "doubtful"


def test_the_name_at_the_top_is_the_supplier_of_a_bill_that_says_whom_it_is_for() -> None:
    assert read(LABELLED, "supplier", "Sagebrush Catering").state == "ok"
    assert read(LABELLED, "supplier", "Sagebrush").state == "doubtful"


def test_a_number_of_another_kind_is_not_the_one_that_is_asked_for() -> None:
    form = parse("delivery note: number, order number")
    text = "Delivery note no: DN-1\nOrder no: PO-2\nRefers to invoice no: I-3"
    assert read(text, "number", "DN-1", form=form).state == "ok"
    assert read(text, "order number", "PO-2", form=form).state == "ok"
    assert read(text, "order number", "DN-1", form=form).state == "doubtful"
    assert read(text, "number", "I-3", form=form).state == "doubtful"


@pytest.mark.parametrize("written", ["-£118.80", "£-118.80", "(£118.80)", "£(118.80)", "118.80- £"])
def test_what_is_given_back_is_below_zero_however_it_is_written(written: str) -> None:
    assert read(f"Total | {written}", "total", "118.80").value == "GBP -118.80"


def test_net_sums_of_several_rates_of_tax_make_one_total() -> None:
    rates = "Net 20% | £450.00\nVAT 20% | £90.00\nNet 5% | £100.00\nVAT 5% | £5.00\nTotal | £645.00"
    assert read(rates, "total", "£645.00").state == "ok"
    assert read(rates.replace("645", "654"), "total", "£654.00").state == "doubtful"


def test_what_is_carried_to_the_next_page_is_no_second_total() -> None:
    text = "Total carried forward: 350.00 EUR\nTotal amount: 740.00 EUR"
    assert read(text, "total", "740.00 EUR").state == "ok"


def test_a_bold_line_that_was_taken_for_a_heading_is_read_and_lines_run_together_part() -> None:
    def chunk(number: int, page: int, heading: str, text: str) -> ChunkRow:
        start = number * 1000
        return ChunkRow(number, heading, page, f"page {page}", start, start + len(text), text, "")

    pages = gather_pages(
        [
            chunk(0, 1, "Acme Ltd", "Invoice no.: INV-7 Due date: 3 May 2026 Order no.: 12"),
            chunk(1, 1, "Acme Ltd › Total 120.00 EUR", "Payable within 14 days."),
            chunk(2, 2, "Acme Ltd › Total 120.00 EUR", "Terms."),
        ]
    )
    assert pages[0].text == (
        "Acme Ltd\nInvoice no.: INV-7\nDue date: 3 May 2026\nOrder no.: 12\nTotal 120.00 EUR"
        "\nPayable within 14 days."
    )
    assert pages[1].text == "Acme Ltd\nTerms."


def test_of_a_line_with_an_address_the_name_alone_is_offered() -> None:
    whole = read(LETTER, "supplier", "Elbtal Metal Ltd · Harbour Street 8 · Hull")
    assert whole.state == "doubtful"
    assert "Elbtal Metal Ltd" in [one.value for one in whole.candidates]
