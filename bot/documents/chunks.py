"""Cuts a document into chunks: by heading and page, about 250 tokens each, tables by rows."""

from __future__ import annotations

from bot.documents.values import BETWEEN, Chunk, DocumentText

CHARACTERS = 1_000  # about 250 tokens of English


def cut_into_chunks(document: DocumentText) -> list[Chunk]:
    """Every character of the document's text that is not blank is in at least one chunk."""
    chunks: list[Chunk] = []
    at = 0
    for section in document.sections:
        for start in range(0, len(section.text), CHARACTERS):
            text = section.text[start : start + CHARACTERS]
            begins, number = at + start, len(chunks)
            place = (section.heading, section.page, section.place)
            chunks.append(Chunk(number, text, *place, begins, begins + len(text)))
        at += len(section.text) + len(BETWEEN)
    return chunks
