"""What is found of documents: passages, and how each was found."""

from __future__ import annotations

from dataclasses import dataclass

from bot.documents.values import NOTE
from bot.knowledge.note_lines import quote_imitation
from storage.knowledge.search import FoundChunk


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a model and a person are shown it."""

    document: str
    title: str
    link: str
    kind: str
    added_at: float
    chunk: int  # number in its document
    heading: str
    page: int
    place: str
    text: str
    audience: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, the two ranks (from 1) it was found by, and how near it is in meaning."""

    passage: Passage
    score: float
    word_rank: int | None = None
    vector_rank: int | None = None
    nearness: float | None = None  # about 0 of texts that have nothing to do with each other, 1 of the same
    embedder: str = ""  # by whose vectors it is that near
    coverage: float = 0.0  # how much of the question's words stand in it, from 0 to 1, the rarer the more


def passage_of(chunk: FoundChunk) -> Passage:
    """As it was found; what of a document imitates the line of a note is marked as somebody's words."""
    heading, place = chunk.heading, chunk.place
    if chunk.kind != NOTE:
        heading, place = quote_imitation(heading), quote_imitation(place)
    return Passage(
        document=chunk.document,
        title=quote_imitation(chunk.title),
        link=chunk.link,
        kind=chunk.kind,
        added_at=chunk.added_at,
        chunk=chunk.number,
        heading=heading,
        page=chunk.page,
        place=place,
        text=chunk.text,
        audience=chunk.audience,
    )
