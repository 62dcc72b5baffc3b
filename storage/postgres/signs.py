"""The signs of documents' vectors, in a table that is narrow enough to be read whole for a question.

It is there where the server has the extension `vector`, which counts the bits in which two vectors' signs
differ; triggers keep it in step with document_vectors. Where there is no extension, each process compares
the signs itself (bot/knowledge/vectors.py).

Source: https://github.com/pgvector/pgvector#binary-vectors
"""

from __future__ import annotations

import logging

import psycopg

from storage.postgres.connections import PostgresConnection
from storage.postgres.migrations import hold_migrations

log = logging.getLogger(__name__)

_OPERATOR = (
    "select quote_ident(nspname) as schema from pg_operator join pg_namespace n on n.oid = oprnamespace"
    " where oprname = '<~>' and oprleft = cast('bit' as regtype) and has_schema_privilege(n.oid, 'usage')"
)
_KEPT = (
    "select count(*) = 2 as kept from pg_trigger where tgrelid = to_regclass('document_vectors')"
    " and tgname in ('document_signs_added', 'document_signs_gone')"
)
# Who reads it names the key alike: storage/knowledge/nearest.py.
_KEY = "hashtextextended(embedder || ' ' || document, 7)"
_SIGNS = f"select {_KEY}, chunk, cast('x' || encode(code, 'hex') as bit varying) from"
TABLE = f"""
drop table if exists document_signs;
create table document_signs (key bigint not null, chunk bigint not null, signs bit varying not null);
create or replace function add_document_signs() returns trigger language plpgsql as '
begin
    insert into document_signs (key, chunk, signs) {_SIGNS.replace("'", "''")} changed;
    return null;
end';
create or replace function drop_document_signs() returns trigger language plpgsql as '
begin
    delete from document_signs s
        using (select distinct {_KEY.replace("'", "''")} as key, chunk from changed) gone
        where s.key = gone.key and s.chunk = gone.chunk;
    return null;
end';
create or replace trigger document_signs_added after insert on document_vectors
    referencing new table as changed for each statement execute function add_document_signs();
create or replace trigger document_signs_gone after delete on document_vectors
    referencing old table as changed for each statement execute function drop_document_signs();
insert into document_signs (key, chunk, signs) {_SIGNS} document_vectors;
create index document_signs_key on document_signs (key, chunk)
"""


def keep_signs(conn: PostgresConnection, name: str) -> None:
    """Makes the extension and the table where they are missing; where they cannot be made, the log says so.
    `conn`, to the database `name`, commits by itself."""
    try:
        if not _find_schema(conn):
            _make(conn, "create extension if not exists vector")
        if not _is_kept(conn):
            _make(conn, TABLE)
    except psycopg.Error as exc:
        words = str(exc).partition("\n")[0]
        log.info("database %s: signs are compared by each process (docs/scale.md): %s", name, words)


def find_distance(conn: PostgresConnection) -> str:
    """The operator that counts the bits in which two differ; "" where signs are not kept."""
    schema = _find_schema(conn)
    return f"operator({schema}.<~>)" if schema and _is_kept(conn) else ""


def _make(conn: PostgresConnection, statements: str) -> None:
    """One process at a time; who comes second finds all of it there."""
    with conn.transaction():
        hold_migrations(conn)
        if statements != TABLE or not _is_kept(conn):
            conn.execute(statements.encode())


def _find_schema(conn: PostgresConnection) -> str:
    row = conn.execute(_OPERATOR).fetchone()
    return str(row["schema"]) if row else ""


def _is_kept(conn: PostgresConnection) -> bool:
    row = conn.execute(_KEPT).fetchone()
    return bool(row and row["kept"])
