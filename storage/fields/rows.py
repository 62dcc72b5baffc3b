"""The rows that documents yielded, piece by piece, and how far each document is. Values are JSON here.

A row is added once for each piece; what people say of its values is beside it (reviews.py), so that it can
go with them. Rows go with their document: whoever erases one calls `erase_of`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One piece of a document as it was read. `found`: JSON of its values, in the order of the fields."""

    id: str
    form: str
    document: str
    team: str
    channel: str
    piece: int
    page: int
    found: str
    made_at: float


@dataclass(frozen=True, slots=True)
class ListedRow(StoredRow):
    """A row with what is told of its document."""

    title: str
    link: str


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One document being read for one form."""

    id: str
    form: str
    document: str
    team: str
    channel: str
    thread: str
    state: str
    pieces: int
    done: int
    problem: str
    card: str
    asked_at: float


_ROW = ", ".join(StoredRow.__dataclass_fields__)
_RUN = ", ".join(StoredRun.__dataclass_fields__)
_LISTED = ", ".join([*(f"r.{name}" for name in StoredRow.__dataclass_fields__), "d.title", "d.link"])
# Rows of what is not to be found, for it was removed or its file was taken out of the channel, are not shown,
# though they may still be there.
_JOINED = "from field_rows r join documents d on d.id = r.document where d.hidden = ''"


def begin(tx: Tx, run: StoredRun) -> bool:
    """A document is to be read for a form; one that was read, stopped or given up on is read anew. False
    while it is being read, or where the form or the document is gone."""
    _lock(tx, run.form)
    if not is_there(tx, run.form, run.document):
        return False
    before = find_run(tx, run.id)
    if before is not None and before.state in ("waiting", "reading"):
        return False
    tx.run("delete from field_runs where id = :id", id=run.id)
    columns = ", ".join(f":{name}" for name in StoredRun.__dataclass_fields__)
    tx.run(f"insert into field_runs ({_RUN}) values ({columns})", **asdict(run))
    return True


def drop_rows(tx: Tx, form: str, document: str) -> None:
    """The rows of a document that is to be read anew for a form, with what was said of their values."""
    for table in ("field_reviews", "field_rows"):
        which = "form = :form and document = :document"
        tx.run(f"delete from {table} where {which}", form=form, document=document)


def find_run(tx: Tx, id: str) -> StoredRun | None:
    row = tx.one(f"select {_RUN} from field_runs where id = :id", id=id)
    return StoredRun(**row) if row else None


def list_runs(tx: Tx, team: str, channel: str) -> list[StoredRun]:
    """What is being read in a channel, or was, newest first."""
    which = f"select {_RUN} from field_runs where team = :team and channel = :channel"
    rows = tx.all(f"{which} order by asked_at desc, id", team=team, channel=channel)
    return [StoredRun(**row) for row in rows]


def note_run(
    tx: Tx,
    id: str,
    *,
    state: str,
    pieces: int | None = None,
    done: int | None = None,
    problem: str | None = None,
) -> bool:
    """How far it is; False once somebody stopped it, or it is gone."""
    return (
        tx.changed(
            "update field_runs set state = :state, pieces = coalesce(:pieces, pieces),"
            " done = coalesce(:done, done), problem = coalesce(:problem, problem)"
            " where id = :id and state <> 'stopped'",
            id=id,
            state=state,
            pieces=pieces,
            done=done,
            problem=problem,
        )
        == 1
    )


def stop_run(tx: Tx, id: str) -> bool:
    """Nothing more is read of it; whether there was something to stop."""
    change = "update field_runs set state = 'stopped' where id = :id and state in ('waiting', 'reading')"
    return tx.changed(change, id=id) == 1


def set_card(tx: Tx, id: str, card: str) -> None:
    """The message that tells of it."""
    tx.run("update field_runs set card = :card where id = :id", id=id, card=card)


def list_cards(tx: Tx, document: str) -> list[str]:
    """The messages that show what a document yielded."""
    which = "select card from field_runs where document = :document and card <> '' order by card"
    return [row["card"] for row in tx.all(which, document=document)]


def add_row(tx: Tx, row: StoredRow) -> bool:
    """What one piece yielded, once. False where it is there, or its form or document is gone."""
    _lock(tx, row.form)
    tx.lock(f"document {row.document}")  # nothing is added to what is being erased
    if not is_there(tx, row.form, row.document):
        return False
    columns = ", ".join(f":{name}" for name in StoredRow.__dataclass_fields__)
    insert = f"insert into field_rows ({_ROW}) values ({columns}) on conflict (id) do nothing"
    return tx.changed(insert, **asdict(row)) == 1


def find_row(tx: Tx, team: str, id: str) -> ListedRow | None:
    row = tx.one(f"select {_LISTED} {_JOINED} and r.team = :team and r.id = :id", team=team, id=id)
    return ListedRow(**row) if row else None


def list_rows(tx: Tx, form: str, *, document: str = "") -> list[ListedRow]:
    """The rows of a form, documents in the order in which they were added, pieces as they stand in them."""
    which = f"select {_LISTED} {_JOINED} and r.form = :form and (:document = '' or r.document = :document)"
    rows = tx.all(f"{which} order by d.seq, r.piece, r.id", form=form, document=document)
    return [ListedRow(**row) for row in rows]


def list_pieces(tx: Tx, form: str, document: str) -> set[int]:
    """Which pieces of a document have their row."""
    which = "select piece from field_rows where form = :form and document = :document"
    return {int(row["piece"]) for row in tx.all(which, form=form, document=document)}


def erase_of(tx: Tx, documents: str, **values: Any) -> None:
    """Everything that documents yielded; `documents`: a query for their ids, with its values."""
    for table in ("field_reviews", "field_rows", "field_runs"):
        tx.run(f"delete from {table} where document in ({documents})", **values)


def _lock(tx: Tx, form: str) -> None:
    tx.lock(f"fields {form}")


def is_there(tx: Tx, form: str, document: str) -> bool:
    """Whether there are both, and the document does not go just now."""
    there = (
        "select 1 as there from field_forms f join documents d on d.id = :document and d.team = f.team"
        " where f.id = :form and d.hidden not in ('removed', 'replaced')"
    )
    return tx.one(there, form=form, document=document) is not None
