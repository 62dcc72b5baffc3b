"""The chunks that documents are cut into, added and erased in portions, with the words they are found by.

`document_words` counts in how many chunks of a workspace each word stands; whoever adds or erases chunks sees
to it here. What stands in the engines' indexes follows the rows by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from storage import audit
from storage.engine import Tx
from storage.fields import rows as field_rows
from storage.knowledge import answer_examples
from storage.knowledge.documents import Document

_WORDS = 100  # counted in one statement
_AT_ONCE = 100  # chunks erased in one transaction


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk. `words`: what it is found by, divided by blanks."""

    number: int
    heading: str
    page: int
    place: str
    start_at: int
    end_at: int
    text: str
    words: str


def add(tx: Tx, document: Document, rows: Sequence[ChunkRow], *, letters: Callable[[str], str]) -> int:
    """Adds chunks that are not there yet; how many. `letters` makes of a word what it is found by when it is
    misspelt. Nothing is added to a document that is gone or is being erased."""
    _lock(tx, document.id)
    there = "select 1 as there from documents where id = :id and hidden not in ('removed', 'replaced')"
    if tx.one(there, id=document.id) is None:
        return 0
    added = [row for row in rows if _insert(tx, document, row)]
    _count_up(tx, document.team, [row.words for row in added], letters)
    tx.run(
        "update documents set chunks = chunks + :chunks, words = words + :words,"
        " characters = characters + :characters where id = :id",
        id=document.id,
        chunks=len(added),
        words=sum(row.words.count(" ") + 1 for row in added),
        characters=sum(len(row.text) for row in added),
    )
    return len(added)


def _lock(tx: Tx, document: str) -> None:
    """Chunks of a document are added, or erased, by one at a time."""
    tx.lock(f"document {document}")


def _insert(tx: Tx, document: Document, row: ChunkRow) -> bool:
    return (
        tx.changed(
            "insert into document_chunks (document, team, number, reach, heading, page, place, start_at,"
            " end_at, text, words) values (:document, :team, :number, :reach, :heading, :page, :place,"
            " :start_at, :end_at, :text, :words) on conflict (document, number) do nothing",
            document=document.id,
            team=document.team,
            reach=document.belonging.reach,
            number=row.number,
            heading=row.heading,
            page=row.page,
            place=row.place,
            start_at=row.start_at,
            end_at=row.end_at,
            text=row.text,
            words=row.words,
        )
        == 1
    )


def list_of(tx: Tx, document: str) -> list[ChunkRow]:
    """The chunks of one document as they stand in it. Whoever shows them sees to who may."""
    columns = ", ".join(ChunkRow.__dataclass_fields__)
    which = f"select {columns} from document_chunks where document = :document order by number"
    return [ChunkRow(**row) for row in tx.all(which, document=document)]


def mark(tx: Tx, document: str, reach: str, *, limit: int) -> int:
    """Marks at most so many chunks of a document as found from elsewhere; how many. Repeat while it is not
    0."""
    _lock(tx, document)
    others = "select id from document_chunks where document = :document and reach <> :reach limit :limit"
    change = f"update document_chunks set reach = :reach where id in ({others})"
    return tx.changed(change, document=document, reach=reach, limit=limit)


def erase(tx: Tx, document: str, *, limit: int) -> int:
    """At most so many chunks of a document with all that was made of them; how many. Repeat while it is not
    0, then `drop` the document itself, or go on with it as one that has none."""
    _lock(tx, document)
    which = "select id, team, words from document_chunks where document = :document order by id limit :limit"
    rows = tx.all(which, document=document, limit=limit)
    _erase_rows(tx, rows)
    if not rows:
        field_rows.erase_of(tx, ":document", document=document)
        answer_examples.erase(tx, "document = :document", document=document)
        _erase_names(tx, ":document", document=document)
        none = "chunks = 0, words = 0, characters = 0, embedded = 0"
        tx.run(f"update documents set {none} where id = :id", id=document)
    return len(rows)


def thin_out(tx: Tx, which: str, *, limit: int, **values: Any) -> int:
    """At most so many chunks of documents that a condition names, or else so many such documents; how many
    rows. Repeat while it is not 0."""
    chosen = f"select id from documents where {which}"
    rows = tx.all(
        f"select id, team, words from document_chunks where document in ({chosen}) limit :limit",
        limit=min(limit, _AT_ONCE),
        **values,
    )
    _erase_rows(tx, rows)
    if rows:
        return len(rows)
    due = f"{chosen} order by id limit :limit"
    answer_examples.erase(tx, f"document in ({due})", limit=limit, **values)
    _erase_names(tx, due, limit=limit, **values)
    field_rows.erase_of(tx, due, limit=limit, **values)
    return tx.changed(f"delete from documents where id in ({due})", limit=limit, **values)


def erase_of(tx: Tx, which: str, **values: Any) -> None:
    """Everything of documents that a condition on `documents` names, at once; the documents stay."""
    there = f"document in (select id from documents where {which})"
    rows = tx.all(f"select team, words from document_chunks where {there}", **values)
    field_rows.erase_of(tx, f"select id from documents where {which}", **values)
    answer_examples.erase(tx, there, **values)
    _erase_names(tx, f"select id from documents where {which}", **values)
    tx.run(f"delete from document_vectors where {there}", **values)
    tx.run(f"delete from document_chunks where {there}", **values)
    _count_down(tx, rows)


def drop(tx: Tx, document: Document, *, by: str, now: float) -> bool:
    """The document itself, whose chunks are erased; whether it was there."""
    gone = tx.changed("delete from documents where id = :id", id=document.id) == 1
    if gone:
        whose = document.channel or document.audience
        audit.note(tx, "document removed", document.id, team=document.team, person=by, detail=whose, now=now)
    return gone


def _erase_names(tx: Tx, documents: str, **values: Any) -> None:
    """What unanswered questions say of documents: a title, a heading, or who said a note."""
    change = "update guard_unanswered set nearest = '', nearest_document = ''"
    tx.run(f"{change} where nearest_document <> '' and nearest_document in ({documents})", **values)


def _erase_rows(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        tx.run("delete from document_vectors where chunk = :id", id=row["id"])
        tx.run("delete from document_chunks where id = :id", id=row["id"])
    _count_down(tx, rows)


def _count_up(tx: Tx, team: str, words: Sequence[str], letters: Callable[[str], str]) -> None:
    uses = _uses(words)
    for at in range(0, len(uses), _WORDS):
        some = list(enumerate(uses[at : at + _WORDS]))
        rows = ", ".join(f"(:team, :word{n}, :uses{n}, :letters{n})" for n, _ in some)
        given = {f"word{n}": word for n, (word, _) in some} | {f"uses{n}": uses for n, (_, uses) in some}
        tx.run(
            f"insert into document_words (team, word, uses, letters) values {rows} on conflict (team, word)"
            " do update set uses = document_words.uses + excluded.uses",
            team=team,
            **given,
            **{f"letters{n}": letters(word) for n, (word, _) in some},
        )


def _count_down(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Words stand in fewer chunks than before, and those that stand in none are forgotten."""
    for team in sorted({row["team"] for row in rows}):
        which = "team = :team and word = :word"
        for word, chunks in _uses([row["words"] for row in rows if row["team"] == team]):
            gone = f"delete from document_words where {which} and uses <= :n"
            if not tx.changed(gone, team=team, word=word, n=chunks):
                fewer = f"update document_words set uses = uses - :n where {which}"
                tx.run(fewer, team=team, word=word, n=chunks)


def _uses(words: Sequence[str]) -> list[tuple[str, int]]:
    """In how many of these chunks each word stands."""
    return sorted(Counter(word for chunk in words for word in set(chunk.split())).items())
