"""What was written into a PDF page: values of a form's fields, ticks, and notes typed over the page.

PDFium keeps them apart from the page's text. Each is put beside the words that it stands next to, so that
"First day" and "2026-09-01" are read together.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bot.documents.pdf_lines import Fragment, PageFrame

MOST_FIELDS = 2_000  # of a page
LONGEST = 20_000  # bytes of a value
USUAL_SIZE = 10.0
_WRITTEN = frozenset(
    {
        pdfium_c.FPDF_FORMFIELD_TEXTFIELD,
        pdfium_c.FPDF_FORMFIELD_COMBOBOX,
        pdfium_c.FPDF_FORMFIELD_LISTBOX,
    }
)
_TICKED = frozenset({pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON})
_UNSEEN = pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW
TICK, NO_TICK = "☒", "☐"


def with_fields(page: pdfium.PdfPage, fragments: list[Fragment]) -> list[Fragment]:
    """The fragments of a page, with what was written into it where it is seen."""
    for field in _fields(page):
        if field.text in (TICK, NO_TICK):
            _tick(field, fragments)
        else:
            _insert(field, fragments)
    return fragments


def _fields(page: pdfium.PdfPage) -> Iterator[Fragment]:
    frame = PageFrame.of(page)
    for at in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            text = _text(annotation, page.formenv)
            box = pdfium_c.FS_RECTF()
            if text and pdfium_c.FPDFAnnot_GetRect(annotation, box):
                place = frame.seen(box.left, box.bottom, box.right, box.top)
                yield Fragment(text, *place, USUAL_SIZE, False)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _text(annotation: ctypes.Structure, form: pdfium.PdfFormEnv | None) -> str:
    kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
    if pdfium_c.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return ""
    if kind == pdfium_c.FPDF_ANNOT_FREETEXT:
        return _string(pdfium_c.FPDFAnnot_GetStringValue, annotation, b"Contents")
    if kind != pdfium_c.FPDF_ANNOT_WIDGET or form is None:
        return ""
    field = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    if field in _TICKED:
        return TICK if pdfium_c.FPDFAnnot_IsChecked(form, annotation) else NO_TICK
    return _string(pdfium_c.FPDFAnnot_GetFormFieldValue, form, annotation) if field in _WRITTEN else ""


def _string(ask: Callable[..., int], *about: object) -> str:
    """What PDFium answers in letters of two bytes, on one line."""
    held = (ctypes.c_ushort * (LONGEST // 2))()
    length = min(ask(*about, held, LONGEST), LONGEST)
    return " ".join(bytes(held)[: max(length - 2, 0)].decode("utf-16-le", "ignore").split())


def _insert(field: Fragment, fragments: list[Fragment]) -> None:
    """Behind its label: what is nearest to its left, else what is nearest above."""
    left = [one for one in fragments if _beside(one, field) and one.left < field.left]
    above = [one for one in fragments if one.bottom >= field.middle and one.left < field.right]
    label = max(left, key=lambda one: one.right, default=None) or min(
        above, key=lambda one: (round(one.bottom - field.top), abs(one.left - field.left)), default=None
    )
    size = label.size if label else USUAL_SIZE
    middle = label.middle if label and label in left else field.middle
    # As high as a line of text, so that rows of fields are rows of a table.
    placed = replace(field, size=size, bottom=middle - size * 0.35, top=middle + size * 0.35)
    fragments.insert(fragments.index(label) + 1 if label else len(fragments), placed)


def _tick(field: Fragment, fragments: list[Fragment]) -> None:
    """Before its words, which mostly stand to its right."""
    beside = [one for one in fragments if _beside(one, field)]
    right = min((one for one in beside if one.left > field.left), key=lambda one: one.left, default=None)
    near = right if right and right.left - field.right < 3 * right.size else None
    label = near or max(
        (one for one in beside if one.left < field.left), key=lambda one: one.right, default=None
    )
    if label is None:
        return
    text = f"{field.text} {label.text}" if label is near else f"{label.text} {field.text}"
    sides = min(label.left, field.left), max(label.right, field.right)
    fragments[fragments.index(label)] = replace(label, text=text, left=sides[0], right=sides[1])


def _beside(one: Fragment, field: Fragment) -> bool:
    return field.bottom - one.size * 0.5 < one.middle < field.top + one.size * 0.5
