"""Documents: whose each is, where it came from, and how far it has been read.

What they are cut into is storage/knowledge/chunks.py's; the rows here hold no text of theirs but names,
titles and, when one could not be read, a sentence of ours.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from storage.engine import Tx
from storage.knowledge.audiences import BELONGS, Audience, AudienceKind, Belonging, values_of

DocumentState = Literal["waiting", "reading", "searchable", "failed"]
THREAD = "thread "  # what the names of kept threads begin with
NOTE = "note "  # and those of notes
DocumentSource = Literal["file", "thread", "text", "command", "note"]


@dataclass(frozen=True, slots=True)
class Document:
    """One document. A newer one of the same `name` that belongs to the same audience replaces it."""

    id: str
    team: str
    audience: AudienceKind
    name: str
    added_at: float
    channel: str = ""  # "" of a workspace's
    conversation: str = ""  # its key, where the audience is a thread
    person: str = ""  # who added it; whose it is, where the audience is a person
    authors: str = ""  # ids of everybody else whose words are in it, " U1 U2 "
    title: str = ""
    source: DocumentSource = "file"
    file: str = ""  # Slack's id of it
    link: str = ""
    origin: str = ""  # the channel in which the file or the thread stands; "" where it stands in none
    kind: str = ""
    digest: str = ""
    state: DocumentState = "waiting"
    hidden: str = ""  # why it is not to be found just now; "" where it is
    problem: str = ""  # why it could not be read, in a sentence for a person
    pages: int = 0
    pages_read: int = 0
    skipped: str = "[]"  # JSON: [[page, reason], …]
    chunks: int = 0
    words: int = 0  # in all chunks, as they are indexed
    characters: int = 0  # of the text of all chunks
    embedded: int = 0  # chunks with a vector of `embedder`
    embedder: str = ""  # whose vectors it is found by
    replaces: str = ""  # the id of the version before, until this one is searchable
    card: str = ""
    searchable_at: float | None = None
    look_again_at: float | None = None  # of a note: when somebody is asked whether it is right still
    repairs: int = 0  # the topic of unanswered questions that it was added for

    @property
    def belonging(self) -> Belonging:
        return Belonging(self.audience, self.team, self.channel, self.conversation, self.person)

    @property
    def skipped_pages(self) -> list[tuple[int, str]]:
        return [(int(page), str(reason)) for page, reason in json.loads(self.skipped)]


_COLUMNS = ", ".join(Document.__dataclass_fields__)
_D_COLUMNS = ", ".join(f"d.{name}" for name in Document.__dataclass_fields__)
_VALUES = ", ".join(f":{name}" for name in Document.__dataclass_fields__)


def add(tx: Tx, document: Document) -> bool:
    """A document that is still to be read; False when one of that id is there."""
    insert = f"insert into documents ({_COLUMNS}) values ({_VALUES}) on conflict (id) do nothing"
    return tx.changed(insert, **asdict(document)) == 1


def find(tx: Tx, id: str) -> Document | None:
    return _first(tx, "id = :id", id=id)


def find_by_file(tx: Tx, team: str, file: str) -> list[Document]:
    """Every document that was made of one file of Slack's, oldest first."""
    return list_where(tx, "team = :team and file = :file", team=team, file=file)


def find_same(tx: Tx, document: Document) -> Document | None:
    """The version of a document that can be found now: of the same name and audience."""
    return _first(
        tx,
        "team = :team and audience = :audience and channel = :channel and conversation = :conversation"
        " and (audience <> 'person' or person = :person) and name = :name and id <> :id"
        " and state = 'searchable' and hidden not in ('removed', 'replaced')",
        newest=True,
        **{name: getattr(document, name) for name in _SAME},
    )


def list_outlived(tx: Tx, document: Document) -> list[Document]:
    """Others of the same name and audience that were given up on, or replaced and are not erased yet."""
    found = list_of_channel(tx, document.team, document.channel)
    if document.audience != "channel":
        found = list_where(
            tx, "team = :team and audience = :kind", team=document.team, kind=document.audience
        )
    mine = (document.name, document.person if document.audience == "person" else "")
    return [
        one
        for one in found
        if (one.state == "failed" or one.hidden in ("replaced", "removed"))
        and one.id != document.id
        and (one.name, one.person if one.audience == "person" else "") == mine
    ]


_SAME = ("team", "audience", "channel", "conversation", "person", "name", "id")


def list_of_channel(tx: Tx, team: str, channel: str) -> list[Document]:
    """Everything that belongs to a channel, in every state, oldest first."""
    return list_where(
        tx, "team = :team and channel = :channel and audience = 'channel'", team=team, channel=channel
    )


def list_around_channel(tx: Tx, team: str, channel: str) -> list[Document]:
    """What belongs to a channel, and what was made elsewhere of something that stands in it."""
    which = "team = :team and (channel = :channel or origin = :channel)"
    return list_where(tx, which, team=team, channel=channel)


def list_of_workspace(tx: Tx, team: str) -> list[Document]:
    """Everything that an admin gave to a whole workspace."""
    return list_where(tx, "team = :team and audience = 'workspace'", team=team)


def list_of_person(tx: Tx, team: str, person: str) -> list[Document]:
    """Everything that a person has in their DM."""
    return list_where(
        tx, "team = :team and person = :person and audience = 'person'", team=team, person=person
    )


def name_thread(channel: str, thread: str) -> str:
    """What a kept thread is called among documents, so that a newer reading of it replaces it. Of `thread`
    "": how the names of all that stand in a channel begin."""
    return f"{THREAD}{channel} {thread}"


def name_note(channel: str, thread: str, key: str) -> str:
    """What a note is called among documents: an edited one replaces it by that. `thread`: in which it was
    said, "" for none; `key`: the message in which it was, or else any word of its own."""
    return f"{NOTE}{channel} {thread or '-'} {key}"


def list_notes_of_message(tx: Tx, team: str, channel: str, message: str) -> list[Document]:
    """Notes of what was said in one message."""
    named = f"{NOTE}{channel} % {message}"
    which = "team = :team and source = 'note' and channel = :channel and name like :named"
    return list_where(tx, which, team=team, channel=channel, named=named)


def list_teams(tx: Tx, channel: str) -> list[str]:
    """The workspaces in which a channel of that id has documents."""
    which = "select distinct team from documents where channel = :channel order by team"
    return [row["team"] for row in tx.all(which, channel=channel)]


def list_all(tx: Tx, *, after: str = "", limit: int = 500) -> list[Document]:
    """Every document by its id. `after`: the last id of the portion before."""
    which = f"select {_COLUMNS} from documents where id > :after order by id limit :limit"
    return [Document(**row) for row in tx.all(which, after=after, limit=limit)]


def set_state(tx: Tx, id: str, state: DocumentState, *, problem: str = "") -> bool:
    """How far it is. `searchable` is told by `publish` alone."""
    change = "update documents set state = :state, problem = :problem where id = :id"
    return tx.changed(change, id=id, state=state, problem=problem) == 1


def note_read(
    tx: Tx,
    id: str,
    *,
    title: str,
    kind: str,
    digest: str,
    pages: int,
    pages_read: int,
    skipped: Sequence[tuple[int, str]] = (),
) -> bool:
    """What was learned of it by reading."""
    return (
        tx.changed(
            "update documents set title = :title, kind = :kind, digest = :digest, pages = :pages,"
            " pages_read = :pages_read, skipped = :skipped where id = :id",
            id=id,
            title=title,
            kind=kind,
            digest=digest,
            pages=pages,
            pages_read=pages_read,
            skipped=json.dumps([list(page) for page in skipped]),
        )
        == 1
    )


def note_progress(tx: Tx, id: str, *, pages: int, pages_read: int) -> None:
    """How many pages have been read so far."""
    tx.run(
        "update documents set pages = :pages, pages_read = :pages_read where id = :id",
        id=id,
        pages=pages,
        pages_read=pages_read,
    )


def set_card(tx: Tx, id: str, card: str) -> None:
    """The message that shows how far it is."""
    tx.run("update documents set card = :card where id = :id", id=id, card=card)


def set_authors(tx: Tx, id: str, authors: Sequence[str]) -> None:
    """Whose words are in a thread that is kept."""
    tx.run("update documents set authors = :ids where id = :id", id=id, ids=f" {' '.join(authors)} ")


def set_replaces(tx: Tx, id: str, replaces: str) -> None:
    """The version that goes when this one is searchable."""
    tx.run("update documents set replaces = :replaces where id = :id", id=id, replaces=replaces)


def move(tx: Tx, document: Document) -> None:
    """The same document where its channel goes by another id."""
    tx.run(
        "update documents set channel = :channel, origin = :origin, name = :name, card = :card"
        " where id = :id",
        id=document.id,
        channel=document.channel,
        origin=document.origin,
        name=document.name,
        card=document.card,
    )


def hide(tx: Tx, ids: Sequence[str], *, reason: str) -> int:
    """Not to be found from now on; how many were to be found before. `reason` "" shows them again, save for
    what is about to be erased."""
    changed = 0
    going = "" if reason == "removed" else " and hidden not in ('removed', 'replaced')"
    for id in ids:
        change = f"update documents set hidden = :reason where id = :id and hidden <> :reason{going}"
        changed += tx.changed(change, id=id, reason=reason)
    return changed


def publish(tx: Tx, id: str, *, now: float) -> str:
    """Searchable from now on, and the version that it replaces not any more. The id of that version, whose
    rows are still to be erased; "" where there was none, or this document is gone."""
    document = find(tx, id)
    if document is None:
        return ""
    tx.run(
        "update documents set state = 'searchable', problem = '', replaces = '',"
        " searchable_at = coalesce(searchable_at, :now) where id = :id",
        id=id,
        now=now,
    )
    if document.replaces:
        tx.run("update documents set hidden = 'replaced' where id = :id", id=document.replaces)
    return document.replaces


def list_belonging(tx: Tx, audience: Audience) -> list[Document]:
    """Everything that an audience may know of, in every state, oldest first."""
    if not audience.open:
        return []
    rows = tx.all(
        f"select {_D_COLUMNS} from documents d where {BELONGS} order by d.seq", **values_of(audience)
    )
    return [Document(**row) for row in rows]


def _first(tx: Tx, which: str, *, newest: bool = False, **values: Any) -> Document | None:
    order = "desc" if newest else "asc"
    row = tx.one(f"select {_COLUMNS} from documents where {which} order by seq {order} limit 1", **values)
    return Document(**row) if row else None


def list_where(tx: Tx, which: str, **values: Any) -> list[Document]:
    """Those that a condition names, oldest first."""
    rows = tx.all(f"select {_COLUMNS} from documents where {which} order by seq", **values)
    return [Document(**row) for row in rows]
