"""How the tables are emptied after a test that commits: by DELETE, where Django's flush would TRUNCATE.

TRUNCATE makes new files for each of some sixty tables and their indexes, a hundred times as dear as
deleting the few rows of a test, and takes locks that whoever still reads must wait for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

# post_migrate would only make the same rows again.
KEPT = {"django_content_type", "auth_permission"}

_truncate = DatabaseOperations.sql_flush


def sql_flush(
    operations: DatabaseOperations, style: Any, tables: Iterable[str], **options: Any
) -> list[str]:
    """Deletes with triggers and foreign keys off, so that order and append-only tables don't matter."""
    if options.get("reset_sequences"):
        return _truncate(operations, style, tables, **options)
    quote = operations.quote_name
    deletes = [f"DELETE FROM {quote(table)};" for table in tables if table not in KEPT]
    return [
        "SET LOCAL session_replication_role = replica;"
        + "".join(deletes)
        + "SET LOCAL session_replication_role = origin;"
    ]


def empty_by_deleting() -> None:
    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]
