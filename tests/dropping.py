"""How a run's database is dropped: with the sessions that tests have left in it, which it names."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.db.backends.postgresql.creation import DatabaseCreation

from tests.leavings import PATIENCE, LeftBehind, fails

SESSIONS = """
SELECT application_name, state, query FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid()
"""


def destroy_test_db(creation: DatabaseCreation, name: str, _verbosity: int) -> None:
    """Django's, but for what it says: the application's name is that of the test that connected.

    Tells of sessions that a thread or a process still has which outlives its test, or raises LeftBehind.
    """
    creation.connection.close_pool()  # type: ignore[attr-defined]
    with creation._nodb_cursor() as cursor:
        left = _left(cursor, name)
        cursor.execute(f"DROP DATABASE {creation.connection.ops.quote_name(name)} WITH (FORCE)")
    if left and fails():
        raise LeftBehind(f"Sessions were left in {name}: {left}")
    if left:
        sys.stderr.write(f"Sessions were left in {name}: {left}\n")


def _left(cursor: Any, name: str) -> list[tuple[str, str, str]]:
    """What is closed is gone a moment later."""
    until = time.monotonic() + PATIENCE
    while True:
        cursor.execute(SESSIONS, [name])
        left: list[tuple[str, str, str]] = cursor.fetchall()
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)


def drop_and_tell_what_is_left() -> None:
    DatabaseCreation._destroy_test_db = destroy_test_db  # type: ignore[method-assign]
