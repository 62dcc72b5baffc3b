"""Erasing what has outlived its use, in portions: each function removes at most `limit` rows that are older
than `before` (unix seconds) and says how many. Repeat while it is not 0 (bot/privacy/portions.py); afterwards
call `Engine.scrub`. Messages, by far the most, go in the order in which they lie on disk.

`within` names a channel by what its conversations' keys begin with; "" is everywhere. How long what is kept
is bot/privacy/retention.py's. Forgetting before its time is storage/privacy/forget.py's.
"""

from __future__ import annotations

from typing import Any

from storage.conversation import summaries
from storage.engine import Tx
from storage.knowledge import chunks

PORTION = 500
LOOKED_UP = 100_000  # numbers of rows at once
UNSENT = """sent_at is null and begun_at < :before
    and not exists (select 1 from inbox where inbox.seq = replies.job and inbox.state = 'new')"""


def list_messages(tx: Tx, *, before: float, within: str = "", limit: int = LOOKED_UP) -> list[int]:
    """The numbers of messages that are due, by which `erase_messages` takes them."""
    due = f"at < :before {_in(within)} order by at limit :limit"
    rows = tx.all(f"select seq from messages where {due}", before=before, limit=limit, **_range(within))
    return [row["seq"] for row in rows]


def erase_messages(tx: Tx, *, first: int, last: int, before: float, within: str = "") -> int:
    """What was said and answered, between two rows, with the summaries that cover it."""
    which = f"seq >= :first_seq and seq <= :last_seq and at < :before {_in(within)}"
    given = {"first_seq": first, "last_seq": last, "before": before, **_range(within)}
    summaries.drop_summaries(tx, which, **given)
    return tx.changed(f"delete from messages where {which}", **given)


def close_parked(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """Questions that were given up on."""
    return tx.changed(
        "update inbox set state = 'done', done_at = received_at, payload = null, error = 'too old'"
        " where seq in (select seq from inbox where state = 'parked' and received_at < :before"
        f" {_in(within)} limit :limit)",
        before=before,
        limit=limit,
        **_range(within),
    )


def close_replies(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """Answers that never got to Slack, and questions that wait to be tried again."""
    closed = 0
    for change, which in (
        ("payload = null, question = null, sent_at = begun_at", UNSENT),
        ("question = null", "question is not null and sent_at < :before"),
    ):
        old = f"select id from replies where {which} {_in(within)} limit :limit"
        closed += tx.changed(
            f"update replies set {change} where id in ({old})", before=before, limit=limit, **_range(within)
        )
    return closed


def erase_recordings(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """What was heard, and whose it was. What was never heard to its end goes sooner."""
    old = f"select id from recordings where made_at < :before {_in(within)} order by made_at limit :limit"
    given = {"before": before, "limit": limit, **_range(within)}
    clips = tx.changed(f"delete from clips where recording in ({old})", **given)
    return clips + tx.changed(f"delete from recordings where id in ({old})", **given)


_ASKED_AT = (
    ("guard_verdicts", "judged_at"),
    ("guard_unanswered", "asked_at"),
    ("answer_examples", "added_at"),
)


def erase_verdicts(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """Rulings with the words they were about, questions that had no answer, and those that answers are
    learned from."""
    erased = 0
    for table, at in _ASKED_AT:
        old = f"select id from {table} where {at} < :before {_in(within)} limit :limit"
        erased += tx.changed(
            f"delete from {table} where id in ({old})", before=before, limit=limit, **_range(within)
        )
    return erased


def erase_attached(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """What was attached to questions. Documents that were added to be asked stay until they are removed."""
    old = f"audience = 'thread' and added_at < :before {_in(within)}"
    return chunks.thin_out(tx, old, before=before, limit=limit, **_range(within))


def erase_feedback(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """Who liked which answer."""
    there = f"and reply in (select id from replies where true {_in(within)})" if within else ""
    return tx.changed(
        "delete from feedback where (reply, person) in"
        f" (select reply, person from feedback where at < :before {there} limit :limit)",
        before=before,
        limit=limit,
        **_range(within),
    )


def erase_quiet(tx: Tx, *, before: float, within: str = "", limit: int = PORTION) -> int:
    """Wishes for quiet in threads in which nothing was said for so long. They hold no words: a channel that
    wants its words gone sooner keeps them."""
    if within:
        return 0
    said_since = "select 1 from conversations where key = quiet_threads.conversation and last_at >= :before"
    return tx.changed(
        "delete from quiet_threads where conversation in (select conversation from quiet_threads"
        f" where at < :before and not exists ({said_since}) limit :limit)",
        before=before,
        limit=limit,
    )


# Where the age of each kind of row is told.
AGES = {
    "messages": ("messages", "at"),
    "recordings": ("recordings", "made_at"),
    "verdicts": ("guard_verdicts", "judged_at"),
}


def count_kept(tx: Tx, kind: str, *, before: float, within: str = "") -> dict[str, Any]:
    """`total` rows of a kind, how many of them are `due`, and `oldest_at` (unix seconds or None)."""
    rows, at = AGES[kind]
    found = tx.one(
        f"select count(*) as total, coalesce(sum(case when {at} < :before then 1 else 0 end), 0) as due,"
        f" min({at}) as oldest_at from {rows} where true {_in(within)}",
        before=before,
        **_range(within),
    )
    assert found is not None
    return found


def _in(within: str) -> str:
    return "and conversation >= :first and conversation < :behind" if within else ""


def _range(within: str) -> dict[str, str]:
    """The keys that begin with `within`, as an index finds them."""
    return {"first": within, "behind": f"{within[:-1]}{chr(ord(within[-1]) + 1)}"} if within else {}
