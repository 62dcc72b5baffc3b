"""Full text in SQLite: FTS5 beside the table that holds the words, kept in step by triggers.

The words come divided and stemmed (bot/knowledge/terms.py), so nothing is done to them here but letting marks
be letters. FTS5 keeps what was deleted until parts of its index are merged: `MERGE` takes it out.
"""

from __future__ import annotations

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
    return f"create trigger {name}_gone after {when} on {table} begin {delete}; end"


def _changed(name: str, table: str, columns: str) -> str:
    old = ", ".join(f"old.{column}" for column in columns.split(", "))
    new = ", ".join(f"new.{column}" for column in columns.split(", "))
    delete = f"insert into {name} ({name}, rowid, {columns}) values ('delete', old.id, {old})"
    insert = f"insert into {name} (rowid, {columns}) values (new.id, {new})"
    return f"create trigger {name}_changed after update of {columns} on {table} begin {delete}; {insert}; end"


_CHUNKS = ("chunk_words", "document_chunks", "reach, words")
_LETTERS = ("word_letters", "document_words", "letters")
# Statements of the schema by their names there.
FULL_TEXT = {
    "CHUNK_WORDS": _index(*_CHUNKS),
    "CHUNK_WORDS_INDEX": "",
    "CHUNK_WORDS_ADDED": _added(*_CHUNKS),
    "CHUNK_WORDS_CHANGED": _changed(*_CHUNKS),
    "CHUNK_WORDS_GONE": _gone(*_CHUNKS),
    "WORD_LETTERS": _index(*_LETTERS),
    "WORD_LETTERS_INDEX": "",
    "WORD_LETTERS_ADDED": _added(*_LETTERS),
    "WORD_LETTERS_GONE": _gone(*_LETTERS),
}
