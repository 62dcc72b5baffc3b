"""How much is kept of a person, or of a conversation, by kind. Nothing is changed here.

What is erased is storage/privacy/forget.py's; how the kinds are called is the handlers' to say.
"""

from __future__ import annotations

from storage.engine import Tx
from storage.privacy.portions import SETTLED
from storage.schema import WORDS_OF

# Each kind: the tables that hold it, and what tells one of them from another.
KINDS: dict[str, dict[str, str]] = {
    "messages": {"messages": "seq"},
    "recordings": {"recordings": "id", "recording_parts": "recording", "clips": "recording"},
    "parked": {"inbox": "seq"},
    "retryable": {"replies": "id"},
    "ratings": {"feedback": "reply"},
    "examples": {"guard_examples": "id"},
    "answer examples": {"answer_examples": "id"},
    "verdicts": {"guard_verdicts": "id"},
    "unanswered": {"guard_unanswered": "id"},
    "reviews": {"field_reviews": "row_id || field"},
    "documents": {"documents": "id"},
}
# Rows that stay when their words go are counted while they have some.
_HELD = {
    "inbox": "and state = 'parked' and payload is not null",
    "replies": f"and (payload is not null or question is not null) and {SETTLED['replies']}",
}
_NOT_BY_THREAD = frozenset({"ratings", "reviews"})


def count_of_person(tx: Tx, team: str, person: str) -> dict[str, int]:
    """What there is of a person's words in a workspace, with the answers to them, by kind."""
    return {
        kind: _count(tx, ids, whose="team = :team and {column} = :person", team=team, person=person)
        for kind, ids in KINDS.items()
    }


def count_in_conversation(tx: Tx, conversation: str) -> dict[str, int]:
    """What there is of everybody's words in a conversation, by kind."""
    return {
        kind: _count(tx, ids, whose="conversation = :conversation", conversation=conversation)
        for kind, ids in KINDS.items()
        if kind not in _NOT_BY_THREAD
    }


def _count(tx: Tx, ids: dict[str, str], *, whose: str, **values: str) -> int:
    parts = (
        f"select cast({id} as text) as id from {table}"
        f" where {whose.format(column=WORDS_OF[table])} {_HELD.get(table, '')}"
        for table, id in ids.items()
    )
    row = tx.one(f"select count(*) as n from ({' union '.join(parts)}) as found", **values)
    return int(row["n"]) if row else 0


def count_threads(tx: Tx, team: str, person: str) -> int:
    """In how many conversations a person's messages are remembered."""
    row = tx.one(
        "select count(distinct conversation) as n from messages where team = :team and person = :person",
        team=team,
        person=person,
    )
    return int(row["n"]) if row else 0


def count_requests(tx: Tx, team: str, person: str) -> int:
    """How many model requests stand under a person's name."""
    row = tx.one(
        "select coalesce(sum(requests), 0) as n from usage_days where team = :team and person = :person",
        team=team,
        person=person,
    )
    return int(row["n"]) if row else 0
