"""A document as fields are read from it: its pages, and the pieces of one kind that it is made of.

A file of a hundred invoices is a hundred pieces. A new one begins where the label of the number that names
it, "Invoice no.", comes again with another number. Told by the words alone, so that every attempt divides a
document the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.documents.values import UNDER
from bot.fields.amounts import CURRENCY
from bot.fields.roles import find_role, simplify
from storage.knowledge.chunks import ChunkRow

MOST_PIECES = 500
PART_CHARACTERS = 16_000  # that a model is given at once
# Lines that a reader of PDF took for one: "Invoice no.: INV-7 Date: 3 April 2026".
_RUN_TOGETHER = re.compile(
    rf"(?<=\d)(?P<unit>(?:[ \t]?{CURRENCY.pattern})?)[ \t]+(?=(?P<label>[^\W\d_][^\d:|\n]{{1,40}}):[ \t])"
)
# Of a line without blanks in a row, so that there is one way to read them.
_LABELLED = re.compile(
    r"^[ |]*(?P<label>[^\W\d][^|:]{0,40}?) ?(?:[|:#] ?| )(?P<value>(?=[\w/.-]*\d)[\w/.-]{2,})[ |]*$"
)


@dataclass(frozen=True, slots=True)
class PageText:
    """The words of one page; of a format without pages, of one place. `page` 0: there are none."""

    page: int
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class DocumentPiece:
    """What one row is read from. `number` from 0."""

    number: int
    pages: tuple[PageText, ...]

    @property
    def text(self) -> str:
        return "\n".join(page.text for page in self.pages)

    @property
    def page(self) -> int:
        return self.pages[0].page if self.pages else 0


def gather_pages(chunks: Sequence[ChunkRow]) -> list[PageText]:
    """The pages of a document, put together again from its chunks, of which neighbours overlap."""
    pages = list[PageText]()
    covered, header, heading = 0, "", ""
    for chunk in chunks:
        length = chunk.end_at - chunk.start_at
        above, body = chunk.text[: len(chunk.text) - length].rstrip("\n"), chunk.text[-length:]
        same = bool(pages) and pages[-1].page == chunk.page and (chunk.page > 0 or not chunk.heading)
        starts = _list_headings(chunk.heading, heading, same=same)
        starts += [above] if above and (above != header or not same) else []
        added = "\n".join([*starts, body[max(0, covered - chunk.start_at) :]])
        goes_on = chunk.start_at < covered and not starts
        header, heading, covered = above, chunk.heading, max(covered, chunk.end_at)
        if same:
            pages[-1] = replace(pages[-1], text="".join((pages[-1].text, "" if goes_on else "\n", added)))
        else:
            pages.append(PageText(chunk.page, chunk.place, added))
    return [replace(page, text=_RUN_TOGETHER.sub(_part, page.text)) for page in pages]


def _list_headings(heading: str, before: str, *, same: bool) -> list[str]:
    """The lines that a heading adds to what stood before: on the same page those that are new; at the top of
    another also those that may stand there again, a name but no sum."""
    named, known = heading.split(UNDER) if heading else [], before.split(UNDER)
    kept = [at for at, (one, other) in enumerate(zip(named, known, strict=False)) if one == other]
    shared = next((at for at in range(len(named)) if at not in kept), len(named))
    return [
        one
        for at, one in enumerate(named)
        if at >= shared or (not same and not any(letter.isdigit() for letter in one))
    ]


def divide(pages: Sequence[PageText]) -> list[DocumentPiece]:
    """The pieces of a document, one where nothing tells that there are more."""
    split = [part for page in pages for part in _split_page(page)]
    label, groups, current = "", list[list[PageText]](), ""
    for page in split:
        found = _find_names(page.text)
        if not label and found:
            label = next(iter(found))
        number = found.get(label, "")
        if groups and (not number or not current or number == current):
            groups[-1].append(page)
        else:
            groups.append([page])
        current = number or current
    return [DocumentPiece(number, tuple(_join(group))) for number, group in enumerate(groups)]


def cut_into_parts(piece: DocumentPiece) -> list[DocumentPiece]:
    """A piece that is too long for one request, in parts that are not."""
    parts, held, size = list[DocumentPiece](), list[PageText](), 0
    for page in (part for one in piece.pages for part in _cut_page(one)):
        if held and size + len(page.text) > PART_CHARACTERS:
            parts.append(DocumentPiece(piece.number, tuple(held)))
            held, size = [], 0
        held.append(page)
        size += len(page.text)
    return [*parts, DocumentPiece(piece.number, tuple(held))]


def _part(match: re.Match[str]) -> str:
    """A label that begins in the middle of a line begins one of its own."""
    is_label = match["label"][:1].isupper() and bool(find_role(match["label"]))
    return f"{match['unit']}\n" if is_label else match[0]


def _find_names(text: str) -> dict[str, str]:
    """What is said once on a page to name it: its number, by the label beside it."""
    found = dict[str, list[str]]()
    for line in text.splitlines():
        if (match := _match_label(line)) and find_role(match["label"], "text") == "bill number":
            found.setdefault(simplify(match["label"]), []).append(match["value"])
    return {label: values[0] for label, values in found.items() if len(set(values)) == 1}


def _match_label(line: str) -> re.Match[str] | None:
    return _LABELLED.match(" ".join(line.split()))


def _split_page(page: PageText) -> Iterator[PageText]:
    """Where one page, or a format without pages, holds several, each begins as the first one does."""
    lines = page.text.splitlines()
    labelled = [
        (at, simplify(match["label"]), match["value"])
        for at, line in enumerate(lines)
        if (match := _match_label(line)) and find_role(match["label"], "text") == "bill number"
    ]
    first = labelled[0][1] if labelled else ""
    starts = [(at, value) for at, label, value in labelled if label == first]
    if len({value for _, value in starts}) < 2:
        yield page
        return
    shapes = [_shape(line) for line in lines]
    opening = next((shape for shape in shapes if shape), "")
    cuts = [0]
    for (before, value), (at, next_value) in pairwise(starts):
        if value != next_value:
            back = [n for n in range(before + 1, at + 1) if shapes[n] == opening]
            cuts.append(back[-1] if back else at)
    for start, end in zip(cuts, [*cuts[1:], len(lines)], strict=True):
        yield replace(page, text="\n".join(lines[start:end]))


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _join(pages: Sequence[PageText]) -> Iterator[PageText]:
    """Neighbours of the same page as one."""
    held: PageText | None = None
    for page in pages:
        if held is not None and (held.page, held.place) == (page.page, page.place):
            held = replace(held, text=f"{held.text}\n{page.text}")
            continue
        if held is not None:
            yield held
        held = page
    if held is not None:
        yield held


def _cut_page(page: PageText) -> Iterator[PageText]:
    text = page.text
    while len(text) > PART_CHARACTERS:
        cut = max(text.rfind("\n", PART_CHARACTERS // 2, PART_CHARACTERS), PART_CHARACTERS // 2)
        yield replace(page, text=text[:cut])
        text = text[cut:]
    yield replace(page, text=text)
