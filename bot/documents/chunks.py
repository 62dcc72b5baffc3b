"""Cuts a document into chunks: by heading and page, about 250 tokens each, tables by rows.

Every character that is not blank is in a chunk, and neighbours overlap by a sentence or two, so that what is
asked does not fall between them. Cut where a person would: after paragraphs, lines, sentences, words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from bot.documents.values import BETWEEN, NOTE, Chunk, DocumentText, Section

TARGET = 1_000  # weight of a chunk: a letter of Latin script weighs 1, and four of them are about a token
OVERLAP = 150
SLACK = 250  # a rest of no more than this stays with the chunk before it
HEADER = 400  # characters of a table's header in each of its chunks
SLIDES = "pptx"  # no sentence goes on from one to the next
HEAVY = 3  # weight of a letter of scripts that need a token for nearly each
_HEAVY = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
    r"\U00020000-\U0003ffff]"
)
_ENDS = (  # where to cut, best first
    re.compile(r"\n\s*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"[.!?:;][\"'”’)\]]*\s+|[。！？；]\s*"),
    re.compile(r"\s+|[、，,](?=\S)"),
)
_UNFINISHED = re.compile(r"[\w,;–-]$")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Sections that belong together: of one heading, page and place; of a table alone."""

    first: Section
    start: int  # in the document's text
    end: int


def cut_into_chunks(document: DocumentText) -> list[Chunk]:
    """In reading order. A book takes a while: call it in a thread."""
    text = document.text
    if document.kind == NOTE:  # somebody's words, which stay together
        return [_chunk(text, document.sections[0], 0, (0, len(text)))]
    chunks: list[Chunk] = []
    before: _Stretch | None = None
    for stretch in _stretches(document.sections):
        if stretch.first.table_header:
            spans = _row_spans(text, stretch)
        else:
            spans = _spans(text, stretch, before if document.kind != SLIDES else None)
        for span in spans:
            chunks.append(_chunk(text, stretch.first, len(chunks), span))
        before = stretch
    return chunks


def _stretches(sections: tuple[Section, ...]) -> Iterator[_Stretch]:
    held: _Stretch | None = None
    at = 0
    for section in sections:
        end = at + len(section.text)
        if held and _belong_together(held.first, section):
            held = _Stretch(held.first, held.start, end)
        else:
            if held:
                yield held
            held = _Stretch(section, at, end)
        at = end + len(BETWEEN)
    if held:
        yield held


def _belong_together(one: Section, other: Section) -> bool:
    places = [(section.heading, section.page, section.place) for section in (one, other)]
    return places[0] == places[1] and not one.table_header and not other.table_header


def _chunk(text: str, section: Section, number: int, span: tuple[int, int]) -> Chunk:
    start, end = span
    header = f"{section.table_header[:HEADER]}\n" if section.table_header else ""
    return Chunk(number, header + text[start:end], section.heading, section.page, section.place, start, end)


def _spans(text: str, stretch: _Stretch, before: _Stretch | None) -> Iterator[tuple[int, int]]:
    """Where the chunks of running text begin and end."""
    start = stretch.start
    if before and _runs_on(text, before, stretch):
        start = _last_sentence(text, before.start, before.end)
    yield from _cut(text, start, stretch.end, overlap=OVERLAP)


def _runs_on(text: str, before: _Stretch, stretch: _Stretch) -> bool:
    """Whether the last sentence of a page goes on at the next one."""
    next_page = 0 < before.first.page == stretch.first.page - 1
    return next_page and not before.first.table_header and bool(_UNFINISHED.search(text[: before.end][-1:]))


def _last_sentence(text: str, start: int, end: int) -> int:
    """Where the last sentence begins, if it is not far from the end."""
    near = max(start, end - OVERLAP * 2)
    ends = [match.end() for match in _ENDS[2].finditer(text, near, end) if match.end() < end]
    return ends[-1] if ends else max(near, text.rfind("\n", near, end) + 1)


def _row_spans(text: str, stretch: _Stretch) -> Iterator[tuple[int, int]]:
    """Whole rows, as many as a chunk takes beside the header."""
    room = TARGET + SLACK - min(len(stretch.first.table_header), HEADER)
    start = end = stretch.start
    for line in text[stretch.start : stretch.end].splitlines(keepends=True):
        after = end + len(line)
        if end > start and _weigh(text[start:after].rstrip()) > room:
            yield start, _trimmed(text, start, end)
            start = end
        end = after
        if _weigh(line) > room:
            yield from _cut(text, start, end, overlap=0)
            start = end
    if start < end:
        yield start, _trimmed(text, start, end)


def _cut(text: str, start: int, end: int, *, overlap: int) -> Iterator[tuple[int, int]]:
    weights = _weights(text[start:end])
    offset = start
    while start < end:
        start = _skip_blanks(text, start, end)
        begun = weights[start - offset]
        if weights[end - offset] - begun <= TARGET + SLACK:
            if start < end:
                yield start, _trimmed(text, start, end)
            return
        furthest = offset + bisect_right(weights, begun + TARGET) - 1
        cut = _best_end(text, start, max(furthest, start + 1))
        yield start, _trimmed(text, start, cut)
        start = _overlapping(text, start, cut, overlap) if overlap else cut


def _best_end(text: str, start: int, furthest: int) -> int:
    """The last good place to cut in the second half of what fits."""
    least = start + (furthest - start) // 2
    for pattern in _ENDS:
        found = [match.end() for match in pattern.finditer(text, least, furthest)]
        if found:
            return found[-1]
    return furthest


def _overlapping(text: str, start: int, cut: int, overlap: int) -> int:
    """Where the next chunk begins: at a sentence or line shortly before the cut, else at a word."""
    near = max(start + 1, cut - overlap)
    for pattern in _ENDS[1:]:
        for match in pattern.finditer(text, near, cut):
            if match.end() < cut:
                return match.end()
    return cut


def _skip_blanks(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


def _trimmed(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip())


def _weights(text: str) -> list[int]:
    """Weight of the text up to each place, the end included."""
    if text.isascii() or not _HEAVY.search(text):
        return list(range(len(text) + 1))
    heavy = _HEAVY.match
    return [0, *accumulate(HEAVY if heavy(letter) else 1 for letter in text)]


def _weigh(text: str) -> int:
    return _weights(text)[-1]
