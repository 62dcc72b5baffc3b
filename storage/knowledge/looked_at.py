"""Passages that an answer was made with, as they stand now: what is gone or hidden is not told again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class ShownChunk:
    """A chunk that may still be shown."""

    title: str
    place: str
    heading: str
    link: str
    text: str


def find_shown(tx: Tx, team: str, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], ShownChunk]:
    """Those of a workspace's chunks, by document and number, that can be found today."""
    found = dict[tuple[str, int], ShownChunk]()
    for document, number in wanted:
        row = tx.one(
            "select d.title, c.place, c.heading, d.link, c.text from document_chunks c"
            " join documents d on d.id = c.document where d.id = :document and d.team = :team"
            " and c.number = :number and d.state = 'searchable' and d.hidden = ''",
            document=document,
            team=team,
            number=number,
        )
        if row is not None:
            found[document, number] = ShownChunk(**row)
    return found
