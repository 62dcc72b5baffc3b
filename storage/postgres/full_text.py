"""Full text in PostgreSQL: a column that the server makes of the words, under a GIN index.

The words come divided and stemmed (bot/knowledge/terms.py), so no configuration of the server's is asked.
"""

from __future__ import annotations


def _column(table: str, name: str, words: str) -> str:
    made = f"array_to_tsvector(string_to_array({words}, ' '))"
    return f"alter table {table} add column {name} tsvector generated always as ({made}) stored"


def _index(table: str, name: str) -> str:
    return f"create index {table}_{name} on {table} using gin ({name}) with (fastupdate = off)"


# Statements of the schema by their names there.
FULL_TEXT = {
    "CHUNK_WORDS": _column("document_chunks", "found_by", "words || ' ' || reach"),
    "CHUNK_WORDS_INDEX": _index("document_chunks", "found_by"),
    "CHUNK_WORDS_ADDED": "",
    "CHUNK_WORDS_CHANGED": "",
    "CHUNK_WORDS_GONE": "",
    "WORD_LETTERS": _column("document_words", "found_by", "letters"),
    "WORD_LETTERS_INDEX": _index("document_words", "found_by"),
    "WORD_LETTERS_ADDED": "",
    "WORD_LETTERS_GONE": "",
}
