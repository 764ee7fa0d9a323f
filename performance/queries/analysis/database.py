"""The one way by which the analysis speaks to the analysed database: guarded, and never writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist
from psycopg.rows import dict_row

from performance.queries.analysis.exceptions import AnalysisError, NotPlanned

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a statement of the analysis may run and wait for a lock, in milliseconds."""

    statement: int = 5000
    lock: int = 50
    analyze: int = 2000  # a statement that is really run


class Database:
    """A session that is read-only by default, gives up early, and sends one statement at a time."""

    def __init__(self, connection: psycopg.Connection[Any], limits: Limits | None = None) -> None:
        self.connection = connection
        self.limits = limits or Limits()
        connection.autocommit = True
        # After a rollback psycopg would send DEALLOCATE ALL, and our own prepared statement be gone.
        connection.prepare_threshold = None
        for name, value in {
            "default_transaction_read_only": "on",
            "statement_timeout": f"{self.limits.statement}",
            "lock_timeout": f"{self.limits.lock}",
            "application_name": "analyze_queries",
            "standard_conforming_strings": "on",
            "DateStyle": "ISO, YMD",
            "IntervalStyle": "postgres",
        }.items():
            self.rows("SELECT set_config(%s, %s, false)", (name, value))
        self.version = connection.info.server_version // 10000
        self.name = connection.info.dbname

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a query of our own, as dictionaries."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(sql.encode(), values or None)
            return cursor.fetchall()

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, None without one."""
        found = self.rows(sql, values)
        return next(iter(found[0].values())) if found else None

    def explain(self, sql: str, *, analyze: bool = False) -> dict[str, Any]:
        """EXPLAIN's JSON of one statement of somebody else's.

        Raises NotPlanned. The extended protocol refuses a second statement after a semicolon, and
        what is really run runs in a read-only transaction that is rolled back.
        """
        options = "VERBOSE, FORMAT JSON" + (", ANALYZE, BUFFERS, TIMING OFF" if analyze else "")
        try:
            with self.connection.transaction(force_rollback=True), self._cursor() as cursor:
                if analyze:
                    cursor.execute("SET TRANSACTION READ ONLY")
                    cursor.execute(
                        "SELECT set_config('statement_timeout', %s, true)",
                        (str(self.limits.analyze),),
                    )
                cursor.execute(f"EXPLAIN ({options}) {sql}".encode(), binary=True)
                found = cursor.fetchone()
        except psycopg.Error as error:
            raise NotPlanned(reason(error)) from None
        plan: dict[str, Any] = found[0][0]  # type: ignore[index]
        return plan

    def command(self, sql: str) -> None:
        """Runs one statement of a session's own concern, such as PREPARE. Raises NotPlanned."""
        try:
            with self._cursor() as cursor:
                cursor.execute(sql.encode(), binary=True)
        except psycopg.Error as error:
            raise NotPlanned(reason(error)) from None

    def _cursor(self) -> psycopg.Cursor[Any]:
        return psycopg.Cursor(self.connection)

    def extension(self, name: str) -> str:
        """The schema of an installed extension, "" where it is not installed."""
        found = self.value(
            "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
            " WHERE extname = %s",
            (name,),
        )
        return found or ""


def reason(error: psycopg.Error) -> str:
    """What went wrong, without the message: it may quote a value."""
    return f"{type(error).__name__} ({error.sqlstate or 'connection'})"


@contextmanager
def opened(alias: str, limits: Limits | None = None) -> Iterator[Database]:
    """A connection of its own to the database `alias`, past any pool. Raises AnalysisError."""
    try:
        wrapper = connections[alias].copy()
    except ConnectionDoesNotExist:
        raise AnalysisError(
            f"DATABASES has no {alias!r}; it has {', '.join(connections)}."
        ) from None
    if wrapper.vendor != "postgresql":
        raise AnalysisError(f"The database {alias!r} is {wrapper.display_name}, not PostgreSQL.")
    wrapper.settings_dict["OPTIONS"] = {
        name: value for name, value in wrapper.settings_dict["OPTIONS"].items() if name != "pool"
    }
    try:
        connection = wrapper.get_new_connection(wrapper.get_connection_params())
    except psycopg.Error as error:
        raise AnalysisError(f"The database {alias!r} does not answer: {reason(error)}.") from None
    with connection:
        connection.cursor_factory = psycopg.Cursor
        yield Database(connection, limits)
