"""Vectors of chunks, with the embedder that made them: `code` is their signs, a bit each, `vector` itself.

Part 0 of a chunk is the vector of all of it; others are of its sentences, where the embedder makes such.
Several embedders may have vectors of one chunk while documents are embedded anew. What compares them is
bot/knowledge/vectors.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.engine import Tx
from storage.knowledge.audiences import VISIBLE, Audience, values_of
from storage.knowledge.listed_ids import IDS, in_portions

_COUNT = "select count(*) as n from document_vectors where document = :document and embedder = :embedder"


@dataclass(frozen=True, slots=True)
class PackedVector:
    """A vector as it is kept: of each number its sign, and all of it as 16-bit floats."""

    code: bytes
    vector: bytes


@dataclass(frozen=True, slots=True)
class BareChunk:
    """A chunk without vectors."""

    id: int
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class EmbeddedDocument:
    """Whose vectors a document is found by, and how many of its chunks have one."""

    id: str
    embedder: str
    embedded: int


def list_embedded(tx: Tx, audience: Audience) -> list[EmbeddedDocument]:
    """Everything visible that is found by vectors."""
    if not audience.open:
        return []
    rows = tx.all(
        f"select d.id, d.embedder, d.embedded from documents d where d.embedded > 0 and {VISIBLE}"
        " order by d.seq",
        **values_of(audience),
    )
    return [EmbeddedDocument(**row) for row in rows]


def count_codes(tx: Tx, document: str, embedder: str) -> int:
    row = tx.one(_COUNT, document=document, embedder=embedder)
    return int(row["n"]) if row else 0


def list_codes(tx: Tx, document: str, embedder: str) -> list[tuple[int, bytes]]:
    """(chunk, code) of a document, of each part one."""
    which = "select chunk, code from document_vectors where document = :document and embedder = :embedder"
    return [(row["chunk"], row["code"]) for row in tx.all(which, document=document, embedder=embedder)]


def fetch(tx: Tx, embedder: str, chunks: Sequence[int]) -> dict[int, list[bytes]]:
    """Whole vectors by chunk, in the order of their parts."""
    found = dict[int, list[bytes]]()
    which = f"chunk in ({IDS}) and embedder = :embedder order by chunk, part"
    for some in in_portions(chunks):
        rows = tx.all(f"select chunk, vector from document_vectors where {which}", embedder=embedder, **some)
        for row in rows:
            found.setdefault(row["chunk"], []).append(row["vector"])
    return found


def list_bare(tx: Tx, document: str, embedder: str, *, limit: int) -> list[BareChunk]:
    """Chunks that have no vector of this embedder yet."""
    rows = tx.all(
        "select c.id, c.heading, c.text from document_chunks c where c.document = :document and not exists"
        " (select 1 from document_vectors v where v.chunk = c.id and v.embedder = :embedder)"
        " order by c.number limit :limit",
        document=document,
        embedder=embedder,
        limit=limit,
    )
    return [BareChunk(**row) for row in rows]


def add(tx: Tx, document: str, embedder: str, vectors: Mapping[int, Sequence[PackedVector]]) -> int:
    """Keeps vectors of chunks that are still there, of each all its parts; how many chunks of the document
    have some now.

    A document that is found by another embedder's vectors is found by these once all of it has them.
    """
    tx.lock(f"document {document}")
    for chunk, parts in vectors.items():
        _insert(tx, chunk, embedder, parts)
    row = tx.one(f"{_COUNT} and part = 0", document=document, embedder=embedder)
    count = int(row["n"]) if row else 0
    tx.run(
        "update documents set embedder = :embedder, embedded = :count where id = :document"
        " and (embedder in ('', :embedder) or chunks <= :count)",
        document=document,
        embedder=embedder,
        count=count,
    )
    return count


def _insert(tx: Tx, chunk: int, embedder: str, parts: Sequence[PackedVector]) -> None:
    row = tx.one("select document, team from document_chunks where id = :chunk", chunk=chunk)
    if row is None:
        return
    values = ", ".join(
        f"(:chunk, :document, :team, :embedder, {part:d}, :code{part}, :vector{part})"
        for part in range(len(parts))
    )
    tx.run(
        "insert into document_vectors (chunk, document, team, embedder, part, code, vector)"
        f" values {values} on conflict (chunk, embedder, part) do nothing",
        chunk=chunk,
        embedder=embedder,
        **row,
        **{f"code{part}": packed.code for part, packed in enumerate(parts)},
        **{f"vector{part}": packed.vector for part, packed in enumerate(parts)},
    )


def list_incomplete(tx: Tx, embedder: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, str]]:
    """(seq, id) of searchable documents with chunks that this embedder made no vector of."""
    rows = tx.all(
        "select seq, id from documents where state = 'searchable' and hidden = '' and seq > :after"
        " and (embedder <> :embedder or embedded < chunks) order by seq limit :limit",
        embedder=embedder,
        after=after,
        limit=limit,
    )
    return [(row["seq"], row["id"]) for row in rows]


def drop_others(tx: Tx, document: str, *, limit: int) -> int:
    """Vectors of a document that it is not found by any more; how many go at once."""
    others = (
        "select v.chunk, v.embedder from document_vectors v join documents d on d.id = v.document"
        " where v.document = :document and v.embedder <> d.embedder limit :limit"
    )
    return tx.changed(
        f"delete from document_vectors where (chunk, embedder) in ({others})", document=document, limit=limit
    )
