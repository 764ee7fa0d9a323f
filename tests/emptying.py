"""How the tables are emptied after a test that commits: by DELETE, where Django's flush would TRUNCATE.

TRUNCATE makes new files for each of some sixty tables and their indexes, a hundred times as dear as
deleting the few rows of a test, and takes locks that whoever still reads must wait for. What was there
before the first test is put back in the same round trip: the receivers of post_migrate, who would make
it anew, take more than a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

# Rows that no test changes.
KEPT = {"django_content_type", "auth_permission"}

_truncate = DatabaseOperations.sql_flush
_first: dict[str, str] = {}  # the rows of a table before the first test, as a JSON array


def sql_flush(
    operations: DatabaseOperations, style: Any, tables: Iterable[str], **options: Any
) -> list[str]:
    """With triggers and foreign keys off, so that order and append-only tables don't matter."""
    quote = operations.quote_name
    if options.get("reset_sequences"):
        emptied = set(tables)
        statements = _truncate(operations, style, tables, **options)
    else:
        emptied = set(tables) - KEPT
        statements = [f"DELETE FROM {quote(table)};" for table in emptied]
    inserts = [_insert(quote(table), _first[table]) for table in emptied & set(_first)]
    return [
        "SET LOCAL session_replication_role = replica;"
        + "".join([*statements, *inserts])
        + "SET LOCAL session_replication_role = origin;"
    ]


def _insert(table: str, rows: str) -> str:
    found = f"json_populate_recordset(NULL::{table}, $rows${rows}$rows$)"
    return f"INSERT INTO {table} SELECT * FROM {found};"


def empty_by_deleting() -> None:
    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]
    flush.emit_post_migrate_signal = lambda *_: None  # type: ignore[attr-defined]


def remember() -> None:
    """Notes what the new database holds, to be there after each test."""
    for table in connection.introspection.django_table_names(only_existing=True):
        if rows := rows_of(table):
            _first[table] = rows


def rows_of(table: str) -> str:
    """As a JSON array; empty where there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT json_agg(t ORDER BY t::text)::text FROM {connection.ops.quote_name(table)} t"
        )
        return str(cursor.fetchone()[0] or "")
