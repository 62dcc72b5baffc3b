"""Broken and hostile files end in a sentence, or are read as far as they go; none costs more than itself."""

from __future__ import annotations

import io
import sys
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import FileTooLarge, UnsupportedFile
from bot.core.limited_child import FileRefused
from bot.documents.reading import read_document
from bot.documents.values import ReadingLimits
from tests.support.office_files import (
    W,
    cells,
    docx,
    package,
    paragraph,
    pdf,
    pptx,
    put,
    read_here,
    shape,
    xlsx,
)

LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]>"
)
OUTSIDE = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"


def document_with(head: str) -> str:
    return f"{head}<w:document {W}><w:body>{paragraph('&a;')}</w:body></w:document>"


def locked_office() -> bytes:
    """A compound file that names the stream in which Office keeps what it has encrypted."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(96)
    )


def many_parts() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
        for n in range(20_001):
            archive.writestr(f"{n}", "")
    return out.getvalue()


SENTENCES: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.pdf", b"", "it is empty"),
    "blank": ("a.txt", b" \r\n\t ", "it is empty"),
    "sign-in page": (
        "plan.pdf",
        b"<!DOCTYPE html><html><body><form><input type=password></form>",
        "a sign-in page that was saved as .pdf",
    ),
    "web page": ("plan.docx", b"\n<html><p>404</p></html>", "a web page that was saved as .docx"),
    "text named as a table": (
        "a.xlsx",
        b"not found",
        "it is named .xlsx, but there is only plain text in it",
    ),
    "picture": ("a.pdf", b"\x89PNG\r\n\x1a\n1234", "it is a picture"),
    "recording": ("a.txt", b"OggS\0\0\0\0", "it is a recording"),
    "program": ("a.doc", b"\x7fELF\x02\x01\x01\0", "it is a program"),
    "drawing": ("a.html", b'<?xml version="1.0"?><svg xmlns="x"><script/></svg>', "it is a drawing (SVG)"),
    "archive": ("a.zip", package({"inner.docx": docx(paragraph("x"))}), "share the files that are in it"),
    "packed": ("a.gz", b"\x1f\x8b\x08\0\0\0\0\0", "share the files that are in it"),
    "bytes": ("a.txt", b"\x01\x02\x03\x04" * 50, "a type that I do not read"),
    "locked Office": ("a.docx", locked_office(), "it is locked with a password"),
    "old Office": ("a.doc", locked_office().replace(b"E\0n\0c", b"W\0o\0r"), "a type that I do not read"),
    "cut docx": ("a.docx", docx(paragraph("x" * 5_000))[:200], "it is damaged"),
    "cut pdf": ("a.pdf", b"%PDF-1.7\n1 0 obj\n<<", "it is damaged"),
    "pdf without pages": ("a.pdf", pdf([]), "it is damaged"),
    "broken XML": ("a.docx", package({"word/document.xml": "<w:document><w:p>"}), "it is damaged"),
    "no XML": ("a.docx", package({"word/document.xml": b"\0\1\2"}), "it is damaged"),
    "billion laughs": (
        "a.docx",
        package({"word/document.xml": document_with(LAUGHS)}),
        "declarations (a DTD)",
    ),
    "external entity": (
        "a.docx",
        package({"word/document.xml": document_with(OUTSIDE)}),
        "declarations (a DTD)",
    ),
    "deep nesting": (
        "a.docx",
        package(
            {"word/document.xml": f"<w:document {W}>" + "<w:p>" * 5_000 + "</w:p>" * 5_000 + "</w:document>"}
        ),
        "it is nested too deeply",
    ),
    "bomb by ratio": ("a.docx", docx("<!--" + " " * 60_000_000 + "-->"), "it unpacks to far more"),
    "bomb by count": ("a.docx", many_parts(), "it unpacks to far more"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_what_cannot_be_read_is_told_in_a_sentence(name: str) -> None:
    file, content, sentence = SENTENCES[name]
    with pytest.raises(FileRefused) as caught:
        read_here(content, file)
    assert sentence in str(caught.value)


def test_without_the_extra_for_it_a_rare_format_is_told_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "kreuzberg", None)  # as where it is not installed
    with pytest.raises(FileRefused, match=r"to read \.rtf files, the extra “docs” has to be installed"):
        read_here(rb"{\rtf1 Bicycles are parked behind the greenhouse.}", "a.rtf")


def test_a_part_that_claims_less_than_it_holds_is_read_no_further_than_it_claims() -> None:
    honest = docx(paragraph("x" * 50_000))
    size = len(f"<w:document {W}><w:body>{paragraph('x' * 50_000)}</w:body></w:document>")
    lying = honest.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(FileRefused, match="it is damaged"):
        read_here(lying, "a.docx")


def test_all_that_may_be_unpacked_counts_together() -> None:
    sheets = {f"S{n}": f"<sheetData>{cells(1, *'abc' * 99)}</sheetData>" for n in range(9)}
    assert len(read_here(xlsx(sheets)).sections) == 9
    with pytest.raises(FileRefused, match="unpacks to far more"):
        read_here(xlsx(sheets), unpacked_bytes=60_000)


def test_a_sheet_of_a_million_columns_and_merged_areas_as_large_as_it_is_read() -> None:
    far = '<c r="XFD1048576" t="str"><v>far</v></c><c r="A1048576" t="str"><v>near</v></c>'
    far = f'<row r="1048576">{far}</row>'
    merged = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    found = read_here(xlsx({"A": f"<sheetData>{cells(1, 'top')}{far}</sheetData>{merged}"}))
    assert [section.text for section in found.sections] == ["top", "near"]


def test_one_shared_string_used_without_end_is_cut_where_the_text_is_enough() -> None:
    rows = "".join(f'<row r="{n}"><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' for n in range(1, 3_000))
    content = xlsx({"A": f"<sheetData>{rows}</sheetData>"}, strings=f"<si><t>{'word ' * 6_000}</t></si>")
    found = read_here(content, characters=200_000)
    assert found.cut
    assert 190_000 < sum(len(section.text) for section in found.sections) <= 200_000


def test_indices_that_lead_nowhere_are_empty_cells() -> None:
    row = (
        '<row r="1"><c t="s"><v>99</v></c><c t="s"><v>-1</v></c><c s="99"><v>4</v></c><c t="b"><v/></c></row>'
    )
    assert read_here(xlsx({"A": f"<sheetData>{row}</sheetData>"})).text == "|  | 4 | FALSE"


def test_scripts_that_never_end_and_tags_without_number_leave_the_text() -> None:
    page = b"<html><body>" + b"<div><span>" * 20_000 + b"Thirty days." + b"<script>" + b"evil()" * 1_000
    assert read_here(page, "a.html").text == "Thirty days."


@given(st.binary(max_size=300), st.sampled_from(["a.pdf", "a.docx", "a.csv", "a.md", "a.html", "a"]))
def test_no_bytes_end_in_anything_but_text_or_a_sentence(content: bytes, name: str) -> None:
    with suppress(FileRefused):
        read_here(content, name)


OFFICE = [
    docx(paragraph("Leave", "Heading1") + paragraph("Thirty days.")),
    pptx([shape("Leave", "title") + shape("Thirty days.")], notes=["Say it."]),
    xlsx({"Leave": f"<sheetData>{cells(1, 'Who', 'Days')}{cells(2, 'All', 30)}</sheetData>"}),
    pdf([put("Thirty days of leave.", 50, 700)]),
]


@settings(max_examples=60)
@given(st.sampled_from(OFFICE), st.integers(0, 5_000), st.binary(min_size=1, max_size=8))
def test_a_file_damaged_anywhere_is_read_or_told(content: bytes, at: int, garbage: bytes) -> None:
    at %= len(content)
    with suppress(FileRefused):
        read_here(content[:at] + garbage + content[at + len(garbage) :], "file")


# In the process itself, with its ceilings.


async def read_file(
    tmp_path: Path, content: bytes, name: str = "a.pdf", limits: ReadingLimits | None = None
) -> object:
    path = tmp_path / "shared"
    path.write_bytes(content)
    return await read_document(path, name, limits or ReadingLimits())


def bomb_page() -> bytes:
    """A page of 400 KB whose content unpacks to 400 MB."""
    packing = zlib.compressobj(9)
    megabyte = packing.compress(b" " * (1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    content = megabyte + megabyte[2:] * 399
    return b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(content), content)


async def test_a_page_that_takes_all_memory_costs_itself_and_the_others_are_read(tmp_path: Path) -> None:
    pages = [put(f"This is what stands on page {n}.", 50, 700) for n in range(1, 5)]
    pages[2] = bomb_page()
    found = await read_file(tmp_path, pdf(pages))
    assert [section.page for section in found.sections] == [1, 2, 4]
    assert [skipped.page for skipped in found.skipped] == [3]
    assert "memory" in found.skipped[0].reason


async def test_a_file_of_such_pages_alone_is_given_up_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFile, match="cannot be read within the memory"):
        await read_file(tmp_path, pdf([bomb_page()] * 6))


async def test_what_takes_too_long_is_told(tmp_path: Path) -> None:
    slow = docx(paragraph("word") * 200_000)
    with pytest.raises(UnsupportedFile, match="reading it takes too long"):
        await read_file(tmp_path, slow, "a.docx", ReadingLimits(cpu_s=1))


async def test_a_file_over_the_limit_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(FileTooLarge, match="1 MB"):
        await read_file(tmp_path, b"x" * 1_000_001, limits=ReadingLimits(file_bytes=1_000_000))


async def test_pages_without_end_are_read_up_to_the_limit_and_that_is_said(tmp_path: Path) -> None:
    content = pdf([put(f"Page {n} is one of many.", 50, 700) for n in range(1, 60)])
    found = await read_file(tmp_path, content, limits=ReadingLimits(pages=20))
    assert (len(found.sections), found.pages) == (20, 59)
    assert [(one.page, one.reason) for one in found.skipped] == [(21, "I read 20 pages at most")]
