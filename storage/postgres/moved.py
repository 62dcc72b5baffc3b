"""Databases by name, and those whose rows moved away (storage/postgres/transfer.py)."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.core.errors import SetupError
from storage.postgres.connections import PostgresConnection


def refuse_moved(conn: PostgresConnection, url: str) -> None:
    """SetupError when all that was in the database is elsewhere."""
    marked = conn.execute("select to_regclass('_moved') is not null as there").fetchone()
    if not (marked and marked["there"]):
        return
    row = conn.execute("select into_database as target from _moved").fetchone()
    raise SetupError(
        [
            f"database {name_database(url)}: everything in it moved to {row['target'] if row else '?'}. Set"
            " PARLEY_DATABASE to that; to go on with this one, as it was then: parley move --undo URL"
        ]
    )


def name_database(url: str) -> str:
    """A database as an operator is told of it: without its password."""
    parts = urlsplit(url)
    try:
        at = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        at = ""
    return f"{at}{parts.path}"
