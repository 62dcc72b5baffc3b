"""What is found of the chunks, by words; and how common words are in a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.engine import Tx
from storage.knowledge.audiences import VISIBLE, Audience, list_reaches, values_of
from storage.knowledge.full_text import find_chunks
from storage.knowledge.listed_ids import IDS, in_portions

_MORE = 8  # times as many are looked at where most of what was found is not to be seen
_COMMON = 3_000  # uses of all words; SQLite's order of so many takes 20 ms
_MOST_SEEN = 3  # one in three


@dataclass(frozen=True, slots=True)
class FoundChunk:
    """A chunk with what is to be told of its document."""

    id: int
    document: str
    title: str
    link: str
    kind: str
    audience: str
    added_at: float
    number: int
    heading: str
    page: int
    place: str
    text: str
    words: str


_CHUNK = (
    "c.id, c.document, d.title, d.link, d.kind, d.audience, d.added_at, c.number, c.heading, c.page, c.place,"
    " c.text, c.words"
)
_JOINED = "from document_chunks c join documents d on d.id = c.document"


@dataclass(frozen=True, slots=True)
class Corpus:
    """How much a workspace has to search in: chunks, and words in all of them."""

    chunks: int
    words: int


def measure(tx: Tx, team: str) -> Corpus:
    row = tx.one(
        "select cast(coalesce(sum(chunks), 0) as bigint) as chunks,"
        " cast(coalesce(sum(words), 0) as bigint) as words from documents where team = :team",
        team=team,
    )
    return Corpus(int(row["chunks"]), int(row["words"])) if row else Corpus(0, 0)


def count_uses(tx: Tx, team: str, words: Sequence[str]) -> dict[str, int]:
    """In how many chunks of the workspace each word stands; none of those that stand in no chunk."""
    found = dict[str, int]()
    for word in words:
        which = "select uses from document_words where team = :team and word = :word"
        if row := tx.one(which, team=team, word=word):
            found[word] = int(row["uses"])
    return found


def find_by_words(
    tx: Tx, audience: Audience, weights: Mapping[str, float], *, uses: int, limit: int
) -> list[FoundChunk]:
    """Visible chunks with at least one of the words; which of very many is up to the engine, by weight.

    `uses`: in how many chunks of the workspace the words stand, each counted for itself.
    """
    if not audience.open:
        return []
    asked = limit
    # Where most may be seen, to look at what may not costs less than to leave it out of every word's chunks.
    reaches = [] if _sees_most(tx, audience) else list_reaches(audience)
    while True:
        ids = find_chunks(tx, reaches, weights, common=uses > _COMMON, limit=asked)
        found = fetch_visible(tx, audience, ids)
        if len(ids) < asked or len(found) >= limit:
            return found[:limit]
        asked *= _MORE


def _sees_most(tx: Tx, audience: Audience) -> bool:
    row = tx.one(
        f"select coalesce(sum(case when {VISIBLE} then chunks else 0 end), 0) as seen,"
        " coalesce(sum(chunks), 0) as n from documents d",
        **values_of(audience),
    )
    return row is not None and int(row["seen"]) * _MOST_SEEN >= int(row["n"])


def fetch_visible(tx: Tx, audience: Audience, ids: Sequence[int]) -> list[FoundChunk]:
    """Chunks by their ids, in that order, without those that are not to be seen from there."""
    found = dict[int, FoundChunk]()
    for some in in_portions(ids):
        rows = tx.all(
            f"select {_CHUNK} {_JOINED} where c.id in ({IDS}) and {VISIBLE}", **some, **values_of(audience)
        )
        found |= {row["id"]: FoundChunk(**row) for row in rows}
    return [found[id] for id in ids if id in found]


def list_headings_beside(tx: Tx, chunks: Sequence[int], *, within: int) -> dict[tuple[str, int], str]:
    """The headings of chunks and of those up to `within` before and after each, by document and number.

    Beside what may be seen stands nothing that may not: a document is one audience's as a whole.
    """
    found = dict[tuple[str, int], str]()
    for some in in_portions(chunks):
        rows = tx.all(
            "select o.document, o.number, o.heading from document_chunks c join document_chunks o"
            " on o.document = c.document and o.number between c.number - :within and c.number + :within"
            f" where c.id in ({IDS})",
            within=within,
            **some,
        )
        found |= {(row["document"], int(row["number"])): row["heading"] for row in rows}
    return found


def list_all(tx: Tx, audience: Audience, *, limit: int) -> list[FoundChunk]:
    """Every visible chunk, documents newest first, chunks as they stand in them."""
    if not audience.open:
        return []
    order = f"{_JOINED} where {VISIBLE} order by d.added_at desc, d.seq desc, c.number limit :limit"
    rows = tx.all(f"select {_CHUNK} {order}", limit=limit, **values_of(audience))
    return [FoundChunk(**row) for row in rows]


def list_of_document(tx: Tx, audience: Audience, document: str, *, limit: int) -> list[FoundChunk]:
    """The first chunks of one document, as they stand in it; none where it is not visible."""
    if not audience.open:
        return []
    order = f"{_JOINED} where d.id = :document and {VISIBLE} order by c.number limit :limit"
    rows = tx.all(f"select {_CHUNK} {order}", document=document, limit=limit, **values_of(audience))
    return [FoundChunk(**row) for row in rows]


def count_characters(tx: Tx, audience: Audience) -> int:
    """How long everything visible is together."""
    if not audience.open:
        return 0
    row = tx.one(
        f"select cast(coalesce(sum(d.characters), 0) as bigint) as n from documents d where {VISIBLE}",
        **values_of(audience),
    )
    return int(row["n"]) if row else 0
