"""Questions that what is known could not answer: each with the refusal it got and what became of it. They
hold people's words.

Which of them mean the same is bot/unanswered/grouping.py's; the table keeps the name of its first user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from storage import audit
from storage.engine import Tx
from storage.place import Channel

# What became of a question: "no more" when whoever asked cannot be told any more.
Outcome = Literal["answered", "not ours", "no more"]
MOST_LISTED = 500  # of a channel, the newest
# Where it stands is told while it can be found.
_NEAREST = (
    "case when nearest_document = '' or exists (select 1 from documents d where d.id = nearest_document"
    " and d.hidden = '') then nearest else '' end as nearest"
)
_COLUMNS = (
    f"id, channel, conversation, person, question, searched, {_NEAREST}, message, reply, topic, wanted,"
    " outcome, asked_at, closed_at, told_at"
)
_OPEN = "team = :team and channel = :channel and closed_at is null"


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One person's question that was refused. `topic`: the group it belongs to by meaning, 0 before it is
    grouped; `outcome`: "" while it is open."""

    id: int
    channel: str
    conversation: str  # key of the thread it was asked in
    person: str
    question: str
    searched: str  # a follow-up as it was written out to search with; "" where it says all itself
    nearest: str
    message: str  # of the post
    reply: str  # id of the refusal
    topic: int
    wanted: bool  # whoever asked says that it should be answered here
    outcome: str
    asked_at: float
    closed_at: float | None
    told_at: float | None

    @property
    def meant(self) -> str:
        """What was asked, understood without the conversation."""
        return self.searched or self.question


def add_question(
    tx: Tx,
    at: Channel,
    question: str,
    nearest: str,
    *,
    person: str,
    conversation: str,
    message: str = "",
    reply: str = "",
    searched: str = "",
    nearest_document: str = "",
    now: float,
) -> int:
    """Notes a refusal; its number. A post that was refused before keeps its number, and its group while its
    words are the same."""
    given = {
        "question": question,
        "nearest": nearest,
        "nearest_document": nearest_document,
        "reply": reply,
        "searched": searched,
        **at.key,
    }
    again = tx.one(
        f"""update guard_unanswered set topic = case when question = :question then topic else 0 end,
        question = :question, nearest = :nearest, nearest_document = :nearest_document, reply = :reply,
        searched = :searched
        where {_OPEN} and message = :message and message <> '' returning id""",
        message=message,
        **given,
    )
    row = again or tx.one(
        """insert into guard_unanswered (team, channel, conversation, person, question, nearest, asked_at,
            message, reply, searched, nearest_document)
        values (:team, :channel, :conversation, :person, :question, :nearest, :now, :message, :reply,
        :searched, :nearest_document) returning id""",
        conversation=conversation,
        person=person,
        message=message,
        now=now,
        **given,
    )
    assert row is not None
    return int(row["id"])


def note_answered(tx: Tx, at: Channel, message: str, question: str, *, now: float) -> None:
    """A post has its answer. Where it asks something else by now, what it asked before is gone with its
    words."""
    given = {"message": message, "question": question, **at.key}
    tx.run(
        f"delete from guard_unanswered where {_OPEN} and message = :message and question <> :question",
        **given,
    )
    tx.run(
        f"""update guard_unanswered set outcome = 'answered', closed_at = :now, told_at = :now
        where {_OPEN} and message = :message and question = :question""",
        now=now,
        **given,
    )


def list_open(tx: Tx, at: Channel, *, limit: int = MOST_LISTED) -> list[OpenQuestion]:
    """Those of a channel that nothing became of yet, newest first."""
    return _list(tx, f"{_OPEN} order by id desc limit :limit", limit=limit, **at.key)


def list_of_topic(tx: Tx, at: Channel, topic: int) -> list[OpenQuestion]:
    """Open ones that mean the same, oldest first."""
    return _list(tx, f"{_OPEN} and topic = :topic and topic > 0 order by id", topic=topic, **at.key)


def list_channels(tx: Tx, *, team: str = "", channel: str = "") -> list[Channel]:
    """Where something is open, direct messages only where their `channel` is named. "" is every one."""
    rows = tx.all(
        """select team, channel from guard_unanswered where closed_at is null
            and (team = :team or :team = '')
            and (channel = :channel or (:channel = '' and channel not like 'D%'))
        group by team, channel order by team, channel""",
        team=team,
        channel=channel,
    )
    return [Channel(row["team"], row["channel"]) for row in rows]


def count_open(tx: Tx, at: Channel) -> int:
    row = tx.one(f"select count(*) as n from guard_unanswered where {_OPEN}", **at.key)
    return int(row["n"]) if row else 0


def find(tx: Tx, team: str, id: int) -> OpenQuestion | None:
    """One, open or not."""
    return _first(_list(tx, "team = :team and id = :id", team=team, id=id))


def find_by_reply(tx: Tx, team: str, reply: str) -> OpenQuestion | None:
    """What a refusal was said to; None where it was none, or is forgotten."""
    which = "team = :team and reply = :reply and reply <> '' order by id desc limit 1"
    return _first(_list(tx, which, team=team, reply=reply))


def set_topic(tx: Tx, at: Channel, ids: Sequence[int], topic: int) -> None:
    """Puts questions into a group. One that is in a group stays there."""
    for id in ids:
        tx.run(
            f"update guard_unanswered set topic = :topic where {_OPEN} and id = :id and topic = 0",
            topic=topic,
            id=id,
            **at.key,
        )


def want(tx: Tx, at: Channel, id: int) -> bool:
    """Whoever asked says that it should be answered; False when that is known, or nothing is open."""
    which = f"{_OPEN} and id = :id and wanted = 0"
    return bool(tx.changed(f"update guard_unanswered set wanted = 1 where {which}", id=id, **at.key))


def close(
    tx: Tx, at: Channel, ids: Sequence[int], outcome: Outcome, *, by: str = "", now: float
) -> list[int]:
    """Writes down what became of questions; which of them were open. `by`: the person who said so."""
    told = ", told_at = :now" if outcome == "answered" else ""
    change = f"update guard_unanswered set outcome = :outcome, closed_at = :now{told}"
    closed = [
        id
        for id in ids
        if tx.changed(f"{change} where {_OPEN} and id = :id", id=id, outcome=outcome, now=now, **at.key)
    ]
    if closed:
        detail = f"question {', '.join(map(str, closed))}: {outcome}"
        audit.note(tx, "question closed", at.channel, team=at.team, person=by, detail=detail, now=now)
    return closed


def count_by_channel(tx: Tx, team: str, *, since: float, until: float) -> list[dict[str, Any]]:
    """`channel`, how many were `refused` and how many `answered` after all between two times (unix seconds),
    with what was asked in direct messages left out."""
    asked, told = (f"{at} >= :since and {at} < :until" for at in ("asked_at", "told_at"))
    return tx.all(
        f"""select channel,
            cast(sum(case when {asked} then 1 else 0 end) as bigint) as refused,
            cast(sum(case when {told} and outcome = 'answered' then 1 else 0 end) as bigint) as answered
        from guard_unanswered where team = :team and channel not like 'D%' and ({asked} or {told})
        group by channel order by channel""",
        team=team,
        since=since,
        until=until,
    )


def _list(tx: Tx, which: str, **values: Any) -> list[OpenQuestion]:
    rows = tx.all(f"select {_COLUMNS} from guard_unanswered where {which}", **values)
    return [OpenQuestion(**(row | {"wanted": bool(row["wanted"])})) for row in rows]


def _first(found: Sequence[OpenQuestion]) -> OpenQuestion | None:
    return found[0] if found else None
