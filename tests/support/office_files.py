"""Small files of every format that is read, honest and hostile, made of what their parts say."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.documents.found_text import assemble
from bot.documents.reading_process import read
from bot.documents.values import DocumentText, ReadingLimits

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read_here(content: bytes, name: str = "file", **orders: Any) -> DocumentText:
    """What the reading process would find, without the process. FileRefused."""
    limits = ReadingLimits()
    given = {
        "name": name,
        "characters": limits.characters,
        "pages": limits.pages,
        "unpacked_bytes": limits.unpacked_bytes,
        "first_page": 1,
        "left_out": [],
        "tesseract": "",
        "scanned_pages": 0,
    }
    lines: list[dict[str, Any]] = []
    read(given | orders, io.BytesIO(content), lambda **line: lines.append(line))
    document = assemble(lines, name)
    assert document
    return document


def package(parts: dict[str, str | bytes]) -> bytes:
    """A zip archive of such parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def relations(*targets: tuple[str, str, str]) -> str:
    """Of (id, last word of the kind, target)."""
    rows = "".join(f'<Relationship Id="{i}" Type="{KINDS}/{kind}" Target="{to}"/>' for i, kind, to in targets)
    return f'<Relationships xmlns="x">{rows}</Relationships>'


def paragraph(text: str, style: str = "", inside: str = "") -> str:
    about = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{about}{inside}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def docx(body: str, **parts: str | bytes) -> bytes:
    """`parts`: "styles", "footnotes" and the like, as their whole XML."""
    others = {f"word/{name}.xml": content for name, content in parts.items()}
    if "relations" in parts:
        others["word/_rels/document.xml.rels"] = others.pop("word/relations.xml")
    main = f"<w:document {W}><w:body>{body}</w:body></w:document>"
    return package({"word/document.xml": main} | others)


def pptx(slides: Sequence[str], notes: Sequence[str] = ()) -> bytes:
    """`slides`: the shapes of each."""
    parts: dict[str, str | bytes] = {}
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="s{n}"/>' for n in range(len(slides)))
    parts["ppt/presentation.xml"] = f"<p:presentation {P} {R}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
    parts["ppt/_rels/presentation.xml.rels"] = relations(
        *((f"s{n}", "slide", f"slides/slide{n}.xml") for n in range(len(slides)))
    )
    for n, shapes in enumerate(slides):
        tree = f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>"
        parts[f"ppt/slides/slide{n}.xml"] = f"<p:sld {P} {R}>{tree}</p:sld>"
    for n, text in enumerate(notes):
        tree = f"<p:cSld><p:spTree>{shape(text, 'body')}</p:spTree></p:cSld>"
        parts[f"ppt/notesSlides/notes{n}.xml"] = f"<p:notes {P}>{tree}</p:notes>"
        rels = relations(("n", "notesSlide", f"../notesSlides/notes{n}.xml"))
        parts[f"ppt/slides/_rels/slide{n}.xml.rels"] = rels
    return package(parts)


def shape(text: str, placeholder: str = "", x: int = 0, y: int = 0) -> str:
    kind = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    place = f'<p:spPr><a:xfrm><a:off x="{x}" y="{y}"/></a:xfrm></p:spPr>' if x or y else ""
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return f"<p:sp><p:nvSpPr><p:nvPr>{kind}</p:nvPr></p:nvSpPr>{place}<p:txBody>{lines}</p:txBody></p:sp>"


def xlsx(
    sheets: dict[str, str],
    *,
    strings: str = "",
    styles: str = "",
    hidden: Iterable[str] = (),
    beside: Mapping[str, str] | None = None,
) -> bytes:
    """`sheets`: the XML inside each worksheet; `beside`: parts that each of them refers to, by their kind."""
    names = list(sheets)
    states = dict.fromkeys(hidden, 'state="hidden"')
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="s{n}" {states.get(name, "")}/>'
        for n, name in enumerate(names)
    )
    parts: dict[str, str | bytes] = {
        "xl/workbook.xml": f"<workbook {S} {R}><sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            *((f"s{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(len(names)))
        ),
        "xl/sharedStrings.xml": f"<sst {S}>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet {S}>{styles}</styleSheet>",
    }
    parts |= {f"xl/{kind}.xml": content for kind, content in (beside or {}).items()}
    for n, name in enumerate(names):
        rels = relations(*((kind, kind, f"../{kind}.xml") for kind in beside or ()))
        parts[f"xl/worksheets/_rels/sheet{n}.xml.rels"] = rels
        parts[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet {S}>{sheets[name]}</worksheet>"
    return package(parts)


def cells(number: int, *values: str | float, style: int = 0) -> str:
    """A row of a sheet: words and numbers."""
    row = ""
    for value in values:
        if isinstance(value, str):
            row += f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        else:
            row += f'<c s="{style}"><v>{value}</v></c>'
    return f'<row r="{number}">{row}</row>'


def pdf(
    pages: Sequence[bytes], *, extra: Sequence[bytes] = (), page_entries: bytes = b"", catalog: bytes = b""
) -> bytes:
    """Pages of such content; `extra` are objects from number 5 + 2 × pages on."""
    kids = b" ".join(b"%d 0 R" % (5 + 2 * at) for at in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
        b"<</F1 4 0 R/F2<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for at, content in enumerate(pages):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font 3 0 R>>/Contents %d 0 R%s>>"
            % (6 + 2 * at, page_entries)
        )
        objects.append(content if content.startswith(b"<<") else stream(content))
    objects += extra
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))


def stream(content: bytes, entries: bytes = b"", *, packed: bool = False) -> bytes:
    if packed:
        content, entries = zlib.compress(content, 9), entries + b"/Filter/FlateDecode"
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def put(text: str, x: float, y: float, size: float = 11, font: str = "F1") -> bytes:
    """Text at a place of a page, whose lower left corner is (0, 0)."""
    shown = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /%s %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET\n" % (font.encode(), size, x, y, shown)
