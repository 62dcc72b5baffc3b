"""What is read of PDF: lines whole again, headings, tables, columns, page numbers left out, scans named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.core.limited_child import FileRefused
from tests.support.office_files import pdf, put, read_here, stream

LOREM = "The lamp is repaired in the workshop and sent back within ten days of the order"


def lines(*texts: str, x: float = 60, y: float = 700, step: float = 14, size: float = 11) -> bytes:
    return b"".join(put(text, x, y - step * at, size) for at, text in enumerate(texts))


def test_lines_of_a_paragraph_are_joined_and_divided_words_whole() -> None:
    content = lines("The holiday of every-", "body is thirty days, well-", "Known as such, since 2014.")
    content += lines("Another paragraph.", y=630)
    (section,) = read_here(pdf([content])).sections
    assert (
        section.text
        == "The holiday of everybody is thirty days, well-Known as such, since 2014.\n\nAnother paragraph."
    )


def test_large_and_bold_lines_are_headings_and_go_on_over_pages() -> None:
    first = put("Handbook", 60, 740, 22) + put("Leave", 60, 700, 16) + lines(LOREM, LOREM, y=670)
    second = lines(LOREM, y=700) + put("Sick", 60, 660, 11, "F2") + lines("A note is needed.", y=640)
    found = read_here(pdf([first, second]))
    assert [(one.page, one.heading) for one in found.sections] == [
        (1, "Handbook › Leave"),
        (2, "Handbook › Leave"),
        (2, "Handbook › Leave › Sick"),
    ]
    assert [one.place for one in found.sections] == ["page 1", "page 2", "page 2"]


def row(y: float, *texts: str, at: tuple[float, ...] = (60, 200, 320)) -> bytes:
    return b"".join(put(text, x, y) for text, x in zip(texts, at, strict=False) if text)


def test_a_table_is_rows_of_cells_under_their_header_with_empty_cells_in_place() -> None:
    content = lines(LOREM, LOREM, y=740)
    content += row(690, "Part", "Price", "In stock") + row(674, "Brass hook", "3.50", "12")
    content += row(658, "Nail", "", "400") + row(642, "Shade of linen", "29.00", "7") + lines(LOREM, y=600)
    before, table, after = read_here(pdf([content])).sections
    assert table.table_header == "Part | Price | In stock"
    assert table.text.splitlines() == [
        "Brass hook | 3.50 | 12",
        "Nail |  | 400",
        "Shade of linen | 29.00 | 7",
    ]
    assert before.text == f"{LOREM} {LOREM}"
    assert after.text == LOREM


def test_cells_of_several_lines_stay_together() -> None:
    content = row(700, "Country", "Per day")
    content += put("Austria and", 60, 680) + put("Slovenia", 60, 667) + put("42 euros", 200, 673)
    content += put("Chile", 60, 640) + put("60 euros when", 200, 646) + put("it is far", 200, 633)
    (table,) = read_here(pdf([content])).sections
    assert table.text.splitlines() == ["Austria and Slovenia | 42 euros", "Chile | 60 euros when it is far"]


@pytest.mark.parametrize("by_line", [False, True])
def test_two_columns_are_read_one_after_the_other_however_they_were_drawn(by_line: bool) -> None:
    left = [f"On the left stands sentence number {n}." for n in range(12)]
    right = [f"On the right stands sentence number {n}." for n in range(12)]
    if by_line:
        content = b"".join(
            put(one, 50, 700 - 14 * at) + put(other, 330, 700 - 14 * at)
            for at, (one, other) in enumerate(zip(left, right, strict=True))
        )
    else:
        content = lines(*left, x=50) + lines(*right, x=330)
    text = " ".join(read_here(pdf([content])).text.split())
    assert text == " ".join(left + right)


def test_what_stands_in_the_margin_of_most_pages_is_told_once_and_page_numbers_never() -> None:
    pages = [
        put(f"Wickerby handbook 2 of 2026, page {n}/5", 60, 770, 8)
        + lines(f"Rule {n} is about lamps.", LOREM)
        + put(f"{n} of 5", 290, 30, 8)
        for n in range(1, 6)
    ]
    found = read_here(pdf(pages))
    first, *others = [one.text for one in found.sections]
    assert first == f"Rule 1 is about lamps.\n\n{LOREM}\n\nWickerby handbook 2 of 2026, page 1/5"
    assert others == [f"Rule {n} is about lamps.\n\n{LOREM}" for n in range(2, 6)]


def test_headings_at_the_top_of_pages_are_kept_however_alike_they_are() -> None:
    pages = [put(f"Chapter {n}", 60, 770, 16) + lines(f"Rule {n} is about lamps.") for n in range(1, 6)]
    assert [one.heading for one in read_here(pdf(pages)).sections] == [f"Chapter {n}" for n in range(1, 6)]


def test_what_was_written_into_a_form_stands_beside_its_labels() -> None:
    content = put("Name", 60, 700) + put("First day", 60, 670) + put("Full pay", 80, 640)
    widget = b"<</Type/Annot/Subtype/Widget/Rect[%s]/FT/%s/T(%s)/V%s/F %d%s>>"
    fields = [
        widget % (b"160 695 300 715", b"Tx", b"a", b"(Ida Berg)", 4, b""),
        widget % (b"160 665 300 685", b"Tx", b"b", b"(2026-09-01)", 4, b""),
        widget % (b"60 638 72 650", b"Btn", b"c", b"/Yes", 4, b"/AS/Yes/AP<</N<</Yes 12 0 R/Off 12 0 R>>>>"),
        widget % (b"160 605 300 625", b"Tx", b"d", b"(seen by nobody)", 2, b""),
        b"<</Type/Annot/Subtype/FreeText/Rect[60 560 300 580]/Contents(Approved by Bo)/F 4>>",
        stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
    ]
    listed = b" ".join(b"%d 0 R" % at for at in range(7, 12))
    form = b"/AcroForm<</Fields[%s]>>" % listed
    found = read_here(pdf([content], extra=fields, page_entries=b"/Annots[%s]" % listed, catalog=form))
    rows, below = found.sections
    assert (rows.table_header, rows.text) == ("Name | Ida Berg", "First day | 2026-09-01")
    assert below.text == "☒ Full pay\n\nApproved by Bo"


def test_a_table_that_goes_on_over_a_page_keeps_the_names_of_its_columns() -> None:
    first = (
        row(690, "Part", "Price", "In stock") + row(674, "Hook", "3.50", "12") + row(658, "Nail", "1", "4")
    )
    second = row(740, "Shade", "29.00", "7") + row(724, "Glass", "5.00", "9") + lines(LOREM, y=600)
    one, other, _ = read_here(pdf([first, second])).sections
    assert one.table_header == other.table_header == "Part | Price | In stock"
    assert (other.text, other.page) == ("Shade | 29.00 | 7\nGlass | 5.00 | 9", 2)


def test_a_name_over_two_columns_belongs_to_both() -> None:
    at = (60, 200, 260, 320)
    content = row(700, "Country", "Hotel", "Meals", at=(60, 224, 320))
    content += row(686, "", "Week", "Holiday", "", at=at)
    content += row(672, "Chile", "100", "150", "40", at=at) + row(658, "Peru", "90", "95", "30", at=at)
    (table,) = read_here(pdf([content])).sections
    assert table.table_header == "Country | Hotel Week | Hotel Holiday | Meals"


def test_small_raised_numbers_are_no_part_of_a_word_or_number() -> None:
    content = put("Everybody has leave", 60, 700) + put("1", 158, 704, 6) + put("of 10", 166, 700)
    content += put("6", 190.6, 704, 6) + put("seconds", 200, 700)
    assert read_here(pdf([content])).text == "Everybody has leave (1) of 10^6 seconds"


def test_the_lines_of_a_table_of_contents_stay_lines() -> None:
    content = lines(f"Leave {'. ' * 40}12", f"Travel {'.' * 60} 15")
    assert read_here(pdf([content])).text.splitlines() == ["Leave … 12", "Travel … 15"]


def test_a_page_that_lies_on_its_side_is_read_as_it_is_seen() -> None:
    turned = (
        b"q 0 1 -1 0 600 0 cm\n"
        + row(300, "Part", "Price")
        + row(284, "Hook", "3.50")
        + row(268, "Nail", "1.20")
    )
    (table,) = read_here(pdf([turned + b"Q"], page_entries=b"/Rotate 90")).sections
    assert table.table_header == "Part | Price"
    assert table.text.splitlines() == ["Hook | 3.50", "Nail | 1.20"]


PICTURE = b"/Resources<</XObject<</P 7 0 R>>>>"
PIXEL = stream(
    b"\0", b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"
)


def scan() -> bytes:
    return pdf([b"q 500 0 0 700 50 50 cm /P Do Q"], extra=[PIXEL], page_entries=PICTURE)


def test_a_page_that_is_a_picture_is_named_and_why() -> None:
    found = read_here(scan())
    assert found.sections == ()
    assert [(one.page, one.reason) for one in found.skipped] == [
        (1, "it is a picture, and text recognition (tesseract) is not installed where I run")
    ]
    assert read_here(pdf([b""])).skipped == (), "an empty page lacks nothing"


def test_pictures_are_read_where_tesseract_is_installed_and_no_more_than_allowed(tmp_path: Path) -> None:
    program = tmp_path / "tesseract"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "if '--list-langs' in sys.argv: print('List:\\neng\\nosd'); sys.exit()\n"
        "head = sys.stdin.buffer.read().split(b'\\n')[0].decode()\n"
        "print('Recognised', head, sys.argv[sys.argv.index('-l') + 1])\n"
    )
    program.chmod(0o755)
    found = read_here(scan(), tesseract=str(program), scanned_pages=1)
    assert [(one.page, one.text) for one in found.sections] == [(1, "Recognised P5 1667 2223 255 eng")]
    none = read_here(scan(), tesseract=str(program), scanned_pages=0)
    assert none.skipped[0].reason == "it is a picture, and I recognise the text of 0 at most"


def test_a_file_with_a_password_is_told() -> None:
    locked = pdf([lines(LOREM)]).replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>"
        % (b"41" * 32, b"42" * 32),
    )
    with pytest.raises(FileRefused, match="it is locked with a password"):
        read_here(locked)


def test_what_a_bill_comes_to_is_no_heading_of_the_next_page() -> None:
    first = lines("Net: 3.00 EUR", "Tax: 1.00 EUR") + put("Total: 4.00 EUR", 60, 660, font="F2")
    found = read_here(pdf([first, lines("Terms and conditions hold.")]))
    assert [(one.page, one.heading) for one in found.sections] == [(1, ""), (2, "")]
    assert "Total: 4.00 EUR" in found.sections[0].text
