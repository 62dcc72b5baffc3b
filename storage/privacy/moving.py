"""A channel that goes by another id takes along what grew out of its documents: questions that were not
answered, people who know, forms of fields with their rows, and what its own head learned.

Documents themselves move one by one, with their chunks (bot/knowledge/index.py). What was said in a channel
is not known under its new id, and is no part of this.
"""

from __future__ import annotations

from storage.engine import Tx
from storage.knowledge import document_days
from storage.knowledge.answer_examples import TABLE
from storage.place import Channel
from storage.workers import changes

# Tables whose rows have keys of their own, and the columns that begin with the channel.
_BY_ID = {
    "guard_unanswered": ("conversation",),
    "field_forms": (),
    "field_runs": ("card",),
    "field_rows": (),
    "field_reviews": (),
}
# Those in which a channel has one row for each of these, and what is there under the new id stays.
_BY_CHANNEL = {
    "people_who_know": ("who",),
    "answer_examples": ("question", "document", "chunk"),
    "answer_models": (),
}


def move_channel(tx: Tx, team: str, old: str, new: str) -> None:
    """Everything of a channel's but documents; a second time it changes nothing."""
    document_days.move(tx, team, old, new)
    for channel in sorted((old, new)):
        TABLE.lock(tx, Channel(team, channel))
    given = {"team": team, "old": old, "new": new}
    for table, columns in _BY_ID.items():
        _rename(tx, table, columns, "", **given)
    for table, same in _BY_CHANNEL.items():
        alike = "".join(f" and there.{column} = {table}.{column}" for column in same)
        there = f"select 1 from {table} there where there.team = :team and there.channel = :new{alike}"
        columns = ("conversation",) if table == "answer_examples" else ()
        _rename(tx, table, columns, f" and not exists ({there})", **given)
        tx.run(f"delete from {table} where team = :team and channel = :old", team=team, old=old)
    changes.note(tx, changes.ANSWER_MODELS)


def _rename(
    tx: Tx, table: str, columns: tuple[str, ...], more: str, *, team: str, old: str, new: str
) -> None:
    begins = {"conversation": (f"{team}:{old}:", f"{team}:{new}:"), "card": (f"{old}:", f"{new}:")}
    changed, given = ["channel = :new"], {"team": team, "old": old, "new": new}
    for column in columns:
        before, after = begins[column]
        starts = f"substr({column}, 1, {len(before)}) = :before_{column}"
        moved = f":after_{column} || substr({column}, {len(before) + 1})"
        changed.append(f"{column} = case when {starts} then {moved} else {column} end")
        given |= {f"before_{column}": before, f"after_{column}": after}
    tx.run(f"update {table} set {', '.join(changed)} where team = :team and channel = :old{more}", **given)
