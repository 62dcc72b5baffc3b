"""Forgetting for good: a conversation, or everything of a person. Afterwards call `Engine.scrub`.

What was forgotten leaves a digest of its message id, so that it is not read in again from Slack. Tables and
columns with people's words are declared in storage/schema.py.
"""

from __future__ import annotations

from storage import conversations
from storage.engine import Tx
from storage.place import Place
from storage.schema import WORDS_OF

# Rows that have to stay without the words in them: keys that refuse late deliveries, what stands in Slack.
BLANKED = {
    "inbox": "payload = null, state = case when state = 'parked' then 'done' else state end,"
    " done_at = coalesce(done_at, :now)",
    "replies": "payload = null, question = null",
}
RECORDED = ("recordings", "recording_parts", "clips", "guard_examples", "guard_verdicts", "guard_unanswered")


def forget(tx: Tx, place: Place, *, now: float) -> int:
    """Everything said in one conversation; how many messages. That the bot takes part there is kept.

    A question that waits for its answer, or is being answered, is not part of what was said before.
    """
    erased = _erase_messages(tx, "conversation = :conversation", now=now, conversation=place.key)
    _blank(tx, "conversation = :conversation", now=now, conversation=place.key)
    for table in RECORDED:
        tx.run(f"delete from {table} where conversation = :conversation", conversation=place.key)
    tx.run(
        "insert into conversations (key, team, last_at, forgotten_at, erasures)"
        " values (:key, :team, :now, :now, 1) on conflict (key)"
        " do update set forgotten_at = :now, erasures = conversations.erasures + 1",
        key=place.key,
        team=place.team,
        now=now,
    )
    return erased


def forget_user(tx: Tx, team: str, user: str, *, now: float) -> int:
    """What a person said in a workspace, the answers to it and the summaries of it; how many messages.

    Amounts in the ledger stay: they hold no words, and a budget must not start anew.
    """
    erased = _erase_messages(tx, "team = :team and person = :person", now=now, team=team, person=user)
    for table, column in WORDS_OF.items():
        which = f"team = :team and {column} = :person"
        if table in BLANKED:
            _blank_in(tx, table, which, now=now, team=team, person=user)
        elif table != "messages":
            tx.run(f"delete from {table} where {which}", team=team, person=user)
    return erased


def _erase_messages(tx: Tx, which: str, *, now: float, **values: str) -> int:
    rows = tx.all(
        f"delete from messages where {which} returning team, channel, message, conversation, seq", **values
    )
    first: dict[str, int] = {}
    for row in rows:
        conversations.bury(tx, row["team"], row["channel"], [row["message"]], now=now)
        first[row["conversation"]] = min(row["seq"], first.get(row["conversation"], row["seq"]))
    for conversation, seq in first.items():
        conversations.drop_summaries(tx, conversation, since=seq)
    return len(rows)


def _blank(tx: Tx, which: str, *, now: float, **values: str) -> None:
    for table in BLANKED:
        _blank_in(tx, table, which, now=now, **values)


def _blank_in(tx: Tx, table: str, which: str, *, now: float, **values: str) -> None:
    # What still waits is a question of now; it is answered, then erased like every other.
    settled = "state in ('done', 'parked')" if table == "inbox" else "sent_at is not null"
    tx.run(f"update {table} set {BLANKED[table]} where {which} and {settled}", now=now, **values)
