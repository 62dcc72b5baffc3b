"""Everything of one database moved into another, empty one, of either engine, while no bot is at work there.

Rows go as they are, in one transaction of the target. It ends only when both sides have the same number of
rows in every table, the same sums of money and the same, unbroken audit list. Then the source is marked, so
that no bot goes on with it by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.core.errors import SetupError
from storage import audit
from storage.engine import Tx
from storage.schema import NO_WORDS, STEPS, WORDS_OF
from storage.sqlite.moved import unmark_moved
from storage.sqlite.transfer import open_file

LIVING = "workers"  # the list of those at work on a database stays with it
TABLES = tuple(
    {
        name: None
        for _, ddl in STEPS
        for name in re.findall(r"create table (\w+)", ddl)
        if name in {*WORDS_OF, *NO_WORDS} - {LIVING}
    }
)
MONEY = frozenset(["cost", "reserved", "listed", "spent", "cap", "amount", "wasted"])


class Side(Protocol):
    """One of the two databases, in a transaction; nobody else is at work on it."""

    @property
    def tx(self) -> Tx: ...

    def read(self, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
        """All rows, a few at a time."""

    def write(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Adds them."""

    def read_next_ids(self) -> dict[str, int]:
        """The next number that each table gives by itself."""

    def set_next_ids(self, ids: Mapping[str, int]) -> None:
        """A table that is not named goes on as it is."""

    def commit(self) -> None:
        """All that was written is there from now on; without it, none of it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What went: `rows` by table; `to`: the target without its password."""

    rows: dict[str, int]
    to: str


def move(source: str, target: str) -> Moved:
    """See above. SetupError with what is in the way; then nothing has changed."""
    if source == target:
        raise SetupError(["both are the same database"])
    with open_side(source) as (old, mark), open_side(target, new=True) as (new, _):
        if found := [table for table, count in count_rows(new.tx).items() if count]:
            raise SetupError(
                [f"{_name(target)}: not empty ({', '.join(found)}); name a database without rows"]
            )
        columns = {table: list(list_columns(table)) for table in TABLES}
        for table, names in columns.items():
            new.write(table, names, old.read(table, names))
        new.set_next_ids(old.read_next_ids())
        if differences := compare(old.tx, new.tx, columns):
            raise SetupError([f"nothing was moved: {line}" for line in differences])
        rows = count_rows(new.tx)
        new.commit()
        mark(_name(target))
    return Moved(rows, _name(target))


def unmark(url: str) -> bool:
    """The data of a database that was moved is to be used there again; whether there was a mark."""
    if path := _file(url):
        return unmark_moved(path.absolute())
    from storage.postgres.transfer import unmark_database

    return unmark_database(url)


def open_side(url: str, *, new: bool = False) -> AbstractContextManager[tuple[Any, Any]]:
    """A side, and what marks it as moved to somewhere. `new`: it is made where there is none."""
    if path := _file(url):
        return open_file(path, new=new)
    try:
        from storage.postgres.transfer import open_database
    except ImportError as exc:
        raise SetupError([f"PostgreSQL needs the extra `postgres` ({exc.name} is missing)"]) from exc
    return open_database(url)


def count_rows(tx: Tx) -> dict[str, int]:
    return {table: _ask(tx, f"select count(*) as n from {table}") for table in TABLES}


def compare(old: Tx, new: Tx, columns: Mapping[str, list[str]]) -> list[str]:
    """What is not the same on both sides, in words."""
    found = [
        f"{table}: {there} rows, of which {count_rows(new)[table]} came"
        for table, there in count_rows(old).items()
        if there != count_rows(new)[table]
    ]
    for table, names in columns.items():
        for name in MONEY & set(names):
            before, after = _sum(old, table, name), _sum(new, table, name)
            if before != after:
                found.append(f"{table}: {name} adds up to {before}, and to {after} after the move")
    return found + _compare_audit(old, new)


def _compare_audit(old: Tx, new: Tx) -> list[str]:
    found, seals = list[str](), list[str]()
    for tx, where in ((old, "before"), (new, "after")):
        if (seq := audit.broken(audit.every(tx))) is not None:
            found.append(f"the audit list is broken at entry {seq} {where} the move (parley audit)")
        row = tx.one("select seal from audit order by seq desc limit 1")
        seals.append(row["seal"] if row else "")
    if seals[0] != seals[1]:
        found.append("the audit list ends with another entry after the move")
    return found


def list_columns(table: str) -> dict[str, str]:
    """The columns of a table with their type words, by the steps of the schema, which both sides have
    taken."""
    found = dict[str, str]()
    for statement in ";".join(ddl for _, ddl in STEPS).split(";"):
        if made := re.search(rf"create table {table} \((.*)\n\)", statement, re.DOTALL):
            found |= re.findall(r"^    (\w+) \{(\w+)\}", made[1], re.MULTILINE)
        found |= re.findall(rf"alter table {table} add column (\w+) \{{(\w+)\}}", statement)
    return found


def _sum(tx: Tx, table: str, column: str) -> int:
    return _ask(tx, f"select cast(coalesce(sum({column}), 0) as bigint) as n from {table}")


def _ask(tx: Tx, sql: str) -> int:
    row = tx.one(sql)
    return int(row["n"]) if row else 0


def _file(url: str) -> Path | None:
    scheme, _, path = url.partition(":")
    if scheme in ("postgresql", "postgres"):
        return None
    if scheme != "sqlite" or not path.startswith("///") or path in ("///", "///:memory:"):
        raise SetupError(["a database is named as sqlite:///parley.db or postgresql://…"])
    return Path(path.removeprefix("///"))


def _name(url: str) -> str:
    if path := _file(url):
        return f"sqlite:///{path}"
    from storage.postgres.moved import name_database

    return f"postgresql://{name_database(url)}"
