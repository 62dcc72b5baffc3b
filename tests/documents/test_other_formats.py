"""What the extra `docs` reads: OpenDocument and RTF, through the limited process."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.errors import UnsupportedFile
from bot.documents.reading import read_document
from bot.documents.values import ReadingLimits
from tests.support.office_files import package

OPEN_DOCUMENT = "urn:oasis:names:tc:opendocument:xmlns"
TEXT = "application/vnd.oasis.opendocument.text"


def odt(body: str) -> bytes:
    spaces = "".join(f' xmlns:{name}="{OPEN_DOCUMENT}:{name}:1.0"' for name in ("office", "text", "table"))
    content = f"<office:document-content{spaces}><office:body><office:text>{body}</office:text></office:body>"
    listed = f'<m:manifest xmlns:m="{OPEN_DOCUMENT}:manifest:1.0"><m:file-entry m:full-path="/" '
    return package(
        {
            "mimetype": TEXT,
            "content.xml": f"{content}</office:document-content>",
            "META-INF/manifest.xml": f'{listed}m:media-type="{TEXT}"/></m:manifest>',
        }
    )


def row(*cells: str) -> str:
    made = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
    return f"<table:table-row>{made}</table:table-row>"


async def test_an_open_document_and_rich_text_are_read_with_headings_and_tables(tmp_path: Path) -> None:
    pytest.importorskip("kreuzberg")
    body = (
        '<text:h text:outline-level="1">Leave</text:h><text:p>Everybody has 30 days &lt;a year&gt;.</text:p>'
    )
    table = f"<table:table>{row('Who', 'Days')}{row('All', '30')}{row('Trainees', '28')}</table:table>"
    (tmp_path / "a.odt").write_bytes(odt(body + table))
    words, rows = (await read_document(tmp_path / "a.odt", "a.odt", ReadingLimits())).sections
    assert (words.heading, words.text) == ("Leave", "Everybody has 30 days <a year>.")
    assert (rows.table_header, rows.text) == ("Who | Days", "All | 30\nTrainees | 28")

    rich = rb"{\rtf1\ansi\ansicpg1252 The f\'fcr keys: room 12.\par Closed on [public] holidays.\par}"
    (tmp_path / "a.rtf").write_bytes(rich)
    found = await read_document(tmp_path / "a.rtf", "a.rtf", ReadingLimits())
    assert found.text.split("\n\n") == ["The für keys: room 12.", "Closed on [public] holidays."]

    slides = package({"mimetype": TEXT.replace("text", "presentation"), "content.xml": ""})
    (tmp_path / "a.odp").write_bytes(slides)
    with pytest.raises(UnsupportedFile, match=r"share it as a PDF"):
        await read_document(tmp_path / "a.odp", "a.odp", ReadingLimits())
    (tmp_path / "b.odt").write_bytes(package({"mimetype": TEXT, "content.xml": "<office:"}))
    with pytest.raises(UnsupportedFile, match="it is damaged"):
        await read_document(tmp_path / "b.odt", "b.odt", ReadingLimits())
