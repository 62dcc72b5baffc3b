"""Writes pages of text as DOCX and slides as PPTX: the few parts that Word and PowerPoint want, in a ZIP.

Every part has the same date, so that the same text is the same bytes. A page of a DOCX begins after a page
break; a slide is one page, its first heading the title.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from bot.sandbox.documents import office_parts as parts
from bot.sandbox.documents.text_pages import TextBlock

_STYLES = {"h1": "Heading1", "h2": "Heading2", "point": "ListBullet", "text": "Normal"}
_PAGE_BREAK = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'


def write_docx(pages: Sequence[Sequence[TextBlock]], *, title: str) -> bytes:
    body = _PAGE_BREAK.join("".join(map(_word_block, blocks)) for blocks in pages)
    return _pack(
        {
            "[Content_Types].xml": parts.content_types(
                {"/word/document.xml": parts.WORD, **parts.WORD_STYLES}
            ),
            "_rels/.rels": parts.relations({"rId1": ("officeDocument", "word/document.xml"), **parts.CORE}),
            "docProps/core.xml": parts.core(title),
            "word/document.xml": parts.WORD_OPENING + body + parts.WORD_END,
            "word/styles.xml": parts.STYLES,
            "word/_rels/document.xml.rels": parts.relations({"rId1": ("styles", "styles.xml")}),
        }
    )


def _word_block(block: TextBlock) -> str:
    if block.kind == "table":
        rows = "".join("<w:tr>" + "".join(map(_word_cell, row)) + "</w:tr>" for row in block.rows)
        return f'<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/></w:tblPr>{rows}</w:tbl><w:p/>'
    return _word_paragraph(block.text, _STYLES[block.kind])


def _word_cell(text: str) -> str:
    return f"<w:tc>{_word_paragraph(text, 'Normal')}</w:tc>"


def _word_paragraph(text: str, style: str) -> str:
    run = f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{run}</w:p>'


def write_pptx(slides: Sequence[Sequence[TextBlock]], *, title: str) -> bytes:
    names = [f"slide{number}.xml" for number in range(1, len(slides) + 1)]
    types = {f"/ppt/slides/{name}": parts.SLIDE for name in names} | parts.DECK
    related = {"rId1": ("slideMaster", "slideMasters/slideMaster1.xml")}
    related |= {f"rId{at}": ("slide", f"slides/{name}") for at, name in enumerate(names, 2)}
    packed = {
        "[Content_Types].xml": parts.content_types(types),
        "_rels/.rels": parts.relations({"rId1": ("officeDocument", "ppt/presentation.xml"), **parts.CORE}),
        "docProps/core.xml": parts.core(title),
        "ppt/presentation.xml": parts.presentation(len(slides)),
        "ppt/_rels/presentation.xml.rels": parts.relations(related),
        **parts.MASTER,
    }
    layout = parts.relations({"rId1": ("slideLayout", "../slideLayouts/slideLayout1.xml")})
    for name, blocks in zip(names, slides, strict=True):
        packed[f"ppt/slides/{name}"] = _slide(blocks)
        packed[f"ppt/slides/_rels/{name}.rels"] = layout
    return _pack(packed)


def _slide(blocks: Sequence[TextBlock]) -> str:
    title = next(block.text for block in blocks if block.kind == "h1")
    body = [block for block in blocks if block.kind not in ("h1", "table")]
    shapes = parts.shape(2, "title", [(title, False)], top=0.4, height=1.0)
    if body:
        lines = [(block.text, block.kind == "point") for block in body]
        shapes += parts.shape(3, "body", lines, top=1.6, height=2.6)
    for at, block in enumerate(b for b in blocks if b.kind == "table"):
        shapes += parts.table(4 + at, block.rows, top=4.3 if body else 1.8)
    return parts.SLIDE_OPENING + shapes + parts.SLIDE_END


def _pack(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            archive.writestr(entry, text.encode(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
