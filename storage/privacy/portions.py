"""What a conversation, a person or a workspace said, erased in portions, so that nobody waits for tens of
thousands of rows; the rest is then erased at once (storage/privacy/forget.py).

When the process dies in between, whoever wanted it was told of no end, and asks again. Messages go in the
order in which they lie on disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.conversation import summaries, tombstones
from storage.engine import Tx
from storage.knowledge import chunks
from storage.knowledge.documents import NOTE, Document, list_where, name_thread
from storage.place import Place
from storage.schema import WORDS_OF

# Rows that have to stay without the words in them: keys that refuse late deliveries, what stands in Slack.
BLANKED = {
    "inbox": "payload = null, state = case when state = 'parked' then 'done' else state end,"
    " done_at = coalesce(done_at, :now)",
    "replies": "payload = null, question = null",
}
# Which of them nobody works on any more.
SETTLED = {
    "inbox": "state in ('done', 'parked')",
    "replies": "not exists (select 1 from inbox where inbox.seq = replies.job and inbox.state = 'new')",
}
# What waits for its answer or is being answered, and may be remembered all the same: read in the thread by
# a question that came first, or with an answer that Slack has not taken yet. It stays, for a question that
# counts as forgotten is one whose answer is taken back.
POST_KEY = "'m:' || messages.team || ':' || messages.channel || ':' || messages.message"
REPLY = "substr(messages.message, length(messages.message) - 35)"  # how the id of an answer ends: a UUID
UNDER_WAY = f"""(messages.message in (select key from inbox where team = :team and state = 'new')
    or {REPLY} in (select r.id from inbox i join replies r on r.job = i.seq and r.sent_at is null
        where i.team = :team and i.state = 'new')
    or exists (select 1 from inbox i where i.key = {POST_KEY} and i.state = 'new')
    or exists (select 1 from inbox i where i.key >= {POST_KEY} || ':' and i.key < {POST_KEY} || ';'
        and i.state = 'new'))"""
CLOSED = "state = 'done', running = 0, done_at = coalesce(done_at, :now), payload = null"
NOT_CLOSED = "(state <> 'done' or payload is not null)"
# What tells one row of a table from another, where there may be very many of one person or workspace.
KEYS = {
    "inbox": "seq",
    "replies": "id",
    "feedback": "reply, person",
    "recordings": "id",
    "recording_parts": "recording, task, number",
    "clips": "seq",
    "guard_verdicts": "id",
    "guard_unanswered": "id",
    "field_reviews": "row_id, field",
}
# Documents with a person's words: what they added, and threads that were kept with posts of theirs.
ADDED_BY = "team = :team and (person = :person or authors like '% ' || :person || ' %')"
# Documents that were made of a conversation, as `name_kept` names them.
KEPT_OF = "source in ('thread', 'note') and team = :team and (name like :kept or name like :noted)"
LOOKED_UP = 100_000  # numbers of rows at once


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose words: those of one conversation, of one person, or (both "") of a whole workspace."""

    team: str
    person: str = ""
    conversation: str = ""

    @property
    def said(self) -> str:
        """Which messages; `values` has what it names."""
        if self.conversation:
            return f"conversation = :conversation and not {UNDER_WAY}"
        if self.person:
            return f"team = :team and person = :person and not {UNDER_WAY}"
        return "team = :team"

    @property
    def values(self) -> dict[str, str]:
        return {"team": self.team, "person": self.person, "conversation": self.conversation}


def name_kept(place: Place) -> dict[str, str]:
    """What KEPT_OF names, of a conversation."""
    every = "%" if place.key.endswith(":") else ""  # all threads of a direct channel are one conversation
    thread = "" if every else place.thread
    noted = f"{NOTE}{place.channel} {every or f'{thread} %'}"
    return {"team": place.team, "kept": name_thread(place.channel, thread) + every, "noted": noted}


def list_kept(tx: Tx, place: Place) -> list[Document]:
    """Documents made of a conversation, without those that go already."""
    which = f"{KEPT_OF} and hidden not in ('removed', 'replaced')"
    return list_where(tx, which, **name_kept(place))


def is_kept_with(tx: Tx, place: Place, *, person: str) -> bool:
    """Whether a document made of a conversation has words of somebody."""
    return any(f" {person} " in document.authors for document in list_kept(tx, place))


def list_shown_of(tx: Tx, team: str, person: str) -> list[Document]:
    """Documents with a person's words whose cards stand in Slack, or tables of theirs."""
    shown = "card <> '' or id in (select document from field_runs where card <> '')"
    return list_where(tx, f"{ADDED_BY} and ({shown})", team=team, person=person)


def list_said(tx: Tx, *, whose: Whose, now: float) -> list[int]:
    """The numbers of messages, by which `erase_said` takes them."""
    found = f"select seq from messages where {whose.said} order by seq limit :limit"
    return [row["seq"] for row in tx.all(found, limit=LOOKED_UP, **whose.values)]


def erase_said(tx: Tx, *, whose: Whose, first: int, last: int, now: float) -> int:
    """Messages between two rows; how many."""
    which = f"seq >= :first_seq and seq <= :last_seq and {whose.said}"
    return erase_messages(tx, which, now=now, first_seq=first, last_seq=last, **whose.values)


def erase_messages(tx: Tx, which: str, *, now: float, **values: object) -> int:
    """Messages that are not to be read in again, with the summaries of them; how many."""
    uncover(tx, which, **values)
    summaries.drop_summaries(tx, which, **values)
    rows = tx.all(f"delete from messages where {which} returning team, channel, message", **values)
    tombstones.bury_rows(tx, rows, now=now)
    return len(rows)


def uncover(tx: Tx, which: str, **values: object) -> None:
    """Erases the digests that hold words of these messages, with all of their conversations: what is left
    there is judged anew."""
    there = f"select conversation from messages where {which}"
    tx.run(
        f"update guard_verdicts set covers = '' where covers <> '' and conversation in ({there})", **values
    )


def thin_out_person(tx: Tx, *, whose: Whose, now: float, limit: int) -> int:
    """Rows of a person in other tables than `messages`, at most so many of each; how many. Repeat while it is
    not 0."""
    changed = 0
    for table, key in KEYS.items():
        owner = WORDS_OF[table]
        which = f"team = :team and {owner} = :person"
        if table == "inbox":
            bury_asked(tx, f"{which} and {SETTLED[table]} limit :limit", limit=limit, now=now, **whose.values)
        if table in BLANKED:
            which, change = f"{which} and {SETTLED[table]}", f"{BLANKED[table]}, {owner} = ''"
            changed += _change(tx, table, key, change, which, limit=limit, now=now, **whose.values)
        else:
            changed += _delete(tx, table, key, which, limit=limit, **whose.values)
    return changed or chunks.thin_out(tx, ADDED_BY, limit=limit, **whose.values)


def bury_asked(tx: Tx, which: str, *, now: float, **values: object) -> None:
    """What was refused was never remembered, but stands in Slack: it is not read in from there later."""
    rows = tx.all(f"select key, kind from inbox where key like 'm:%' and {which}", **values)
    asked = [row["key"].split(":") for row in rows if row["kind"] == "message"]
    posts = [{"team": team, "channel": at, "message": message} for _, team, at, message, *_ in asked]
    tombstones.bury_rows(tx, posts, now=now)


def thin_out_team(tx: Tx, *, whose: Whose, now: float, limit: int) -> int:
    """As `thin_out_person`, of a workspace. What waits for an answer is closed first."""
    which = f"team = :team and {NOT_CLOSED}"
    changed = _change(tx, "inbox", KEYS["inbox"], CLOSED, which, limit=limit, now=now, **whose.values)
    for table, key in KEYS.items():
        if table != "inbox" and changed < limit:
            changed += _delete(tx, table, key, "team = :team", limit=limit, **whose.values)
    return changed or chunks.thin_out(tx, "team = :team", limit=limit, **whose.values)


def _delete(tx: Tx, table: str, key: str, which: str, **values: object) -> int:
    chosen = f"select {key} from {table} where {which} limit :limit"
    return tx.changed(f"delete from {table} where ({key}) in ({chosen})", **values)


def _change(tx: Tx, table: str, key: str, change: str, which: str, **values: object) -> int:
    chosen = f"select {key} from {table} where {which} limit :limit"
    return tx.changed(f"update {table} set {change} where ({key}) in ({chosen})", **values)
