"""How a run's database is dropped: with the sessions that tests have left in it, which it names."""

from __future__ import annotations

import sys

from django.db.backends.postgresql.creation import DatabaseCreation


def destroy_test_db(creation: DatabaseCreation, name: str, _verbosity: int) -> None:
    """Django's, which fails where a thread that a test forgot still holds a connection."""
    creation.connection.close_pool()  # type: ignore[attr-defined]
    with creation._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT state, application_name, query FROM pg_stat_activity WHERE datname = %s", [name]
        )
        for session in cursor.fetchall():
            sys.stderr.write(f"A test left a session in {name}: {session}\n")
        cursor.execute(f"DROP DATABASE {creation.connection.ops.quote_name(name)} WITH (FORCE)")


def drop_with_what_is_left() -> None:
    DatabaseCreation._destroy_test_db = destroy_test_db  # type: ignore[method-assign]
