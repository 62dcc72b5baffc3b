"""Summaries of the beginnings of conversations. When there is to be one, and what it says, is
bot/conversation/summaries.py's decision.

Whoever stores or drops one changes the conversation's row first: so each waits for the other, and sees what
it did.
"""

from __future__ import annotations

from storage.conversation.storable import storable
from storage.engine import Tx


def summarise(
    tx: Tx, conversation: str, text: str, *, upto: int, tokens: int, erasures: int, now: float
) -> bool:
    """From now on `text` stands for every message up to `upto` (a `Stored.seq`).

    False, and nothing is kept, when something was deleted or changed since the recall it was made from.
    """
    unchanged = tx.changed(
        "update conversations set failed_summaries = 0, summarise_after = 0"
        " where key = :key and erasures = :erasures",
        key=conversation,
        erasures=erasures,
    )
    if not unchanged:
        return False
    tx.run(
        "insert into summaries (conversation, upto, text, tokens, at)"
        " values (:conversation, :upto, :text, :tokens, :now) on conflict (conversation, upto)"
        " do update set text = excluded.text, tokens = excluded.tokens, at = excluded.at",
        conversation=conversation,
        upto=upto,
        text=storable(text),
        tokens=tokens,
        now=now,
    )
    return True


def put_off_summary(tx: Tx, conversation: str, *, until: float) -> None:
    """Notes that there was no summary, and when the next try may be."""
    tx.run(
        "update conversations set failed_summaries = failed_summaries + 1, summarise_after = :until"
        " where key = :key",
        key=conversation,
        until=until,
    )


def drop_summaries(tx: Tx, which: str, **values: object) -> None:
    """Erases every summary that covers one of these messages, which change or go after this, and stops those
    in the making; and what was written of their conversations to search with."""
    there = f"select conversation from messages where {which}"
    tx.run(f"update conversations set erasures = erasures + 1 where key in ({there})", **values)
    gone = f"select conversation, min(seq) as seq from messages where {which} group by conversation"
    covering = (
        f"select s.conversation, s.upto from ({gone}) as gone"
        " join summaries s on s.conversation = gone.conversation and s.upto >= gone.seq"
    )
    tx.run(f"delete from summaries where (conversation, upto) in ({covering})", **values)
    written = f"searched <> '' and conversation in ({there})"
    for table in ("messages", "guard_unanswered"):
        tx.run(f"update {table} set searched = '' where {written}", **values)
