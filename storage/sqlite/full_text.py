"""Full text in SQLite: FTS5 beside the table that holds the words, kept in step by triggers.

The words come divided and stemmed (bot/knowledge/terms.py), so nothing is done to them here but letting marks
be letters. FTS5 keeps words of what was deleted until the parts of its index are merged: a deletion notes
that this is due, and `merge` does it, a few pages at a time.
Source: https://www.sqlite.org/fts5.html#the_merge_command
"""

from __future__ import annotations

from storage.engine import Tx

PAGES = 64  # merged at once, some milliseconds
MERGE_DUE = "create table _merge_due (name text primary key, begun integer not null) strict"

_WORDS = "tokenize = \"unicode61 remove_diacritics 0 categories 'L* M* N* Co'\""


def _index(name: str, table: str, columns: str) -> str:
    options = f"content='{table}', content_rowid='id', columnsize=1"
    return f"create virtual table {name} using fts5({columns}, {options}, {_WORDS})"


def _added(name: str, table: str, columns: str) -> str:
    new = ", ".join(f"new.{column}" for column in columns.split(", "))
    insert = f"insert into {name} (rowid, {columns}) values (new.id, {new})"
    return f"create trigger {name}_added after insert on {table} begin {insert}; end"


def _gone(name: str, table: str, columns: str, when: str = "delete") -> str:
    old = ", ".join(f"old.{column}" for column in columns.split(", "))
    delete = f"insert into {name} ({name}, rowid, {columns}) values ('delete', old.id, {old})"
    due = f"insert or replace into _merge_due values ('{name}', 0)"
    return f"create trigger {name}_gone after {when} on {table} begin {delete}; {due}; end"


def _changed(name: str, table: str, columns: str) -> str:
    old = ", ".join(f"old.{column}" for column in columns.split(", "))
    new = ", ".join(f"new.{column}" for column in columns.split(", "))
    delete = f"insert into {name} ({name}, rowid, {columns}) values ('delete', old.id, {old})"
    insert = f"insert into {name} (rowid, {columns}) values (new.id, {new})"
    return f"create trigger {name}_changed after update of {columns} on {table} begin {delete}; {insert}; end"


def merge(tx: Tx) -> bool:
    """One step towards indexes without words of what was deleted; whether there is more to do."""
    due = tx.one("select name, begun from _merge_due order by begun desc, name limit 1")
    if due is None:
        return False
    name, pages = due["name"], PAGES if due["begun"] else -PAGES  # negative: all parts are to be merged
    before = _changes(tx)
    tx.run(f"insert into {name} ({name}, rank) values ('merge', :pages)", pages=pages)
    if _changes(tx) - before < 2:  # as the manual tells that nothing was left to be merged
        tx.run("delete from _merge_due where name = :name", name=name)
    else:
        tx.run("update _merge_due set begun = 1 where name = :name", name=name)
    return True


def _changes(tx: Tx) -> int:
    row = tx.one("select total_changes() as n")
    return int(row["n"]) if row else 0


_CHUNKS = ("chunk_words", "document_chunks", "reach, words")
_LETTERS = ("word_letters", "document_words", "letters")
# Statements of the schema by their names there.
FULL_TEXT = {
    "CHUNK_WORDS": _index(*_CHUNKS),
    "CHUNK_WORDS_INDEX": MERGE_DUE,
    "CHUNK_WORDS_ADDED": _added(*_CHUNKS),
    "CHUNK_WORDS_CHANGED": _changed(*_CHUNKS),
    "CHUNK_WORDS_GONE": _gone(*_CHUNKS),
    "WORD_LETTERS": _index(*_LETTERS),
    "WORD_LETTERS_INDEX": "",
    "WORD_LETTERS_ADDED": _added(*_LETTERS),
    "WORD_LETTERS_GONE": _gone(*_LETTERS),
}
