"""The two statements in which SQLite's full text and PostgreSQL's have no words in common.

Both get the same words, divided and stemmed by bot/knowledge/terms.py, and give the rows that look best to
each; what is best among them is decided in bot/knowledge, alike for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.engine import Tx

# The engines' own order only chooses who is looked at; it is coarse.
_SQLITE_CHUNKS = (
    "select rowid as id from chunk_words where chunk_words match :wanted"
    " and rank match 'bm25(0.0, 1.0)' order by rank limit :limit"
)
_BY_WEIGHT = "select id from ({parts}) as found group by id order by sum(weight) desc, id limit :limit"
_SQLITE_PART = "select rowid as id, :{weight} as weight from chunk_words where chunk_words match :{wanted}"
_POSTGRES_PART = (
    "select id, cast(:{weight} as double precision) as weight from document_chunks"
    " where found_by @@ cast(:{wanted} as tsquery)"
)
# Of a word that is in many chunks PostgreSQL thinks it had best read all of them. It takes ten times as long
# as the index: what words are compared with stands apart from the rows.
_SCANS = "select set_config('enable_seqscan', :wanted, true)"

_SQLITE_WORDS = (
    "select w.word from word_letters f join document_words w on w.id = f.rowid"
    " where f.letters match :wanted and w.team = :team order by f.rank limit :limit"
)
_POSTGRES_WORDS = (
    "select word from document_words where team = :team and found_by @@ cast(:wanted as tsquery)"
    " order by ({shared}) / (length(word) + 2.0) desc, word limit :limit"
)


def find_chunks(
    tx: Tx, reaches: Sequence[str], weights: Mapping[str, float], *, common: bool, limit: int
) -> list[int]:
    """Ids of chunks that have one of the marks (no marks: of all) and at least one of the words, those with
    heavy words first. `common`: the words stand in so many chunks that how often in each is not looked at."""
    if not weights:
        return []
    if tx.dialect == "sqlite" and not common:
        wanted = _join_sqlite(reaches, list(weights))
        return [row["id"] for row in tx.all(_SQLITE_CHUNKS, wanted=wanted, limit=limit)]
    part = _SQLITE_PART if tx.dialect == "sqlite" else _POSTGRES_PART
    join = _join_sqlite if tx.dialect == "sqlite" else _join_postgres
    given: dict[str, Any] = {"limit": limit}
    parts = []
    for n, (word, weight) in enumerate(weights.items()):
        given |= {f"weight{n}": weight, f"wanted{n}": join(reaches, [word])}
        parts.append(part.format(weight=f"weight{n}", wanted=f"wanted{n}"))
    statement = _BY_WEIGHT.format(parts=" union all ".join(parts))
    if tx.dialect == "sqlite":
        return [row["id"] for row in tx.all(statement, **given)]
    tx.run(_SCANS, wanted="off")
    found = [row["id"] for row in tx.all(statement, **given)]
    tx.run(_SCANS, wanted="on")
    return found


def _join_sqlite(reaches: Sequence[str], words: Sequence[str]) -> str:
    from_there = f"reach : ({_either(reaches)}) AND " if reaches else ""
    return f"{from_there}words : ({_either(words)})"


def _join_postgres(reaches: Sequence[str], words: Sequence[str]) -> str:
    from_there = f"({_any(reaches)}) & " if reaches else ""
    return f"{from_there}({_any(words)})"


def _either(words: Sequence[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


def _any(words: Sequence[str]) -> str:
    return " | ".join(map(_quote, words))


def _quote(word: str) -> str:
    return f"'{word}'"


def find_words(tx: Tx, team: str, letters: Sequence[str], *, every: bool, limit: int) -> list[str]:
    """Words of a workspace that have some of these threes of letters, those with the most first; or that
    have every one of them."""
    if not letters:
        return []
    if tx.dialect == "sqlite":
        wanted = (" AND " if every else " OR ").join(f'"{three}"' for three in letters)
        return [row["word"] for row in tx.all(_SQLITE_WORDS, wanted=wanted, team=team, limit=limit)]
    wanted = (" & " if every else " | ").join(map(_quote, letters))
    given = {f"three{n}": _quote(three) for n, three in enumerate(letters)}
    shared = " + ".join(f"cast(found_by @@ cast(:{name} as tsquery) as int)" for name in given)
    statement = _POSTGRES_WORDS.format(shared=shared)
    return [row["word"] for row in tx.all(statement, wanted=wanted, team=team, limit=limit, **given)]
