"""PostgreSQL: whether it answers, and whether its tables are those of this code.

Each look opens a connection of its own: the pool may be in the hands of pages that hang, and a server
that takes no new connection is not ready, whatever those that are open can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader

from performance.health.board import Facts, Unwell

CONNECT_TIMEOUT = 1  # seconds; libpq takes whole ones

_FACTS = """
    SELECT current_setting('server_version'),
           extract(epoch FROM now() - pg_postmaster_start_time())::float8,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
           current_setting('max_connections')::int, pg_is_in_recovery(),
           CASE WHEN NOT pg_is_in_recovery()
                THEN (SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication)
                WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8
"""


@contextmanager
def _connection(alias: str) -> Iterator[Any]:
    wrapper: Any = connections[alias]
    if wrapper.vendor != "postgresql":
        with wrapper.cursor() as cursor:
            yield cursor
        wrapper.close()
        return
    parameters = {**wrapper.get_connection_params(), "connect_timeout": CONNECT_TIMEOUT}
    with wrapper.Database.connect(**parameters, autocommit=True) as connection:
        yield connection


def probe(alias: str) -> Callable[[], Facts]:
    """Asks the database for its version, age and connections."""

    def ask() -> Facts:
        with _connection(alias) as connection:
            if connections[alias].vendor != "postgresql":
                connection.execute("SELECT 1")
                return {}
            version, uptime, used, most, recovery, lag = connection.execute(_FACTS).fetchone()
        return {
            "version": version.partition(" ")[0],
            "uptime_seconds": round(uptime),
            "connections": used,
            "max_connections": most,
            "read_only": recovery,
            # None: no replica, or one that this role may not see (it wants pg_monitor).
            "replication_lag_seconds": lag,
        }

    return ask


class Migrations:
    """Whether all migrations of this code are applied; once they are, nobody is asked again."""

    def __init__(self) -> None:
        self._wanted: set[tuple[str, str]] | None = None
        self._is_done = False

    def __call__(self) -> Facts:
        if self._is_done:
            return {"pending": 0}
        if self._wanted is None:
            self._wanted = set(MigrationLoader(None).graph.leaf_nodes())
        with _connection(DEFAULT_DB_ALIAS) as connection:
            rows = connection.execute("SELECT app, name FROM django_migrations")
            applied = set((rows or connection).fetchall())
        pending = len(self._wanted - applied)
        if pending:
            raise Unwell("migrations are not applied", {"pending": pending})
        self._is_done = True
        return {"pending": 0}
