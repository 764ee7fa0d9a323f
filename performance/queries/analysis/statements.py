"""What the database was asked: the statements of a workload and where they are read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

from performance.queries.analysis import parsing
from performance.queries.analysis.database import Database, Row, reason
from performance.queries.fingerprint import fingerprint

BLOCK = 8192

ENABLE = (
    "Add pg_stat_statements to shared_preload_libraries, restart PostgreSQL, and run "
    "CREATE EXTENSION pg_stat_statements in this database."
)


@dataclass(slots=True, kw_only=True)
class Statement:
    """One fingerprint of a statement with what it has cost; `sql` has no values in it.

    `samples` are texts with real values, from this process's memory; they are never kept or shown.
    """

    id: str
    sql: str
    calls: int = 1
    seconds: float = 0.0
    p95: float | None = None  # seconds
    slowest: float | None = None
    rows: int = 0
    hit: int = 0  # blocks found in the cache
    read: int = 0  # blocks that were not
    spilled: int = 0  # blocks written to temporary files
    callers: tuple[str, ...] = ()
    source: str = "pg_stat_statements"
    queryid: str = ""  # pg_stat_statements' own number
    before: float | None = None  # mean seconds of the period before
    repeats: int = 0  # most of it in one request
    samples: tuple[str, ...] = field(default=(), repr=False)

    @property
    def mean(self) -> float:
        return self.seconds / self.calls if self.calls else 0.0

    @property
    def hit_ratio(self) -> float | None:
        touched = self.hit + self.read
        return self.hit / touched if touched else None

    @property
    def trend(self) -> float | None:
        """How many times slower than in the period before."""
        return self.mean / self.before if self.before else None


SQL = """
SELECT queryid::text AS id, min(query) AS sql, sum(calls)::bigint AS calls,
    sum(total_exec_time) / 1000 AS seconds, max(max_exec_time) / 1000 AS slowest,
    max(mean_exec_time + 1.645 * stddev_exec_time) / 1000 AS p95, sum(rows)::bigint AS rows,
    sum(shared_blks_hit)::bigint AS hit, sum(shared_blks_read)::bigint AS read,
    sum(temp_blks_written)::bigint AS spilled
FROM {view} WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND queryid IS NOT NULL AND calls >= %s
GROUP BY queryid ORDER BY sum(total_exec_time) DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The statements of a source, or why there are none."""

    statements: list[Statement]
    missing: str = ""


def from_pg_stat_statements(
    database: Database, alias: str = "default", *, min_calls: int = 1, most: int = 10_000
) -> Found:
    """The most costly statements that the server has counted, under the log's fingerprints."""
    schema = database.extension("pg_stat_statements")
    if not schema:
        return Found([], f"pg_stat_statements is not installed here. {ENABLE}")
    view = f'"{schema}".pg_stat_statements'
    try:
        rows = database.rows(SQL.format(view=view), (min_calls, most))
    except psycopg.Error as error:
        return Found([], f"pg_stat_statements cannot be read: {reason(error)}. {ENABLE}")
    hidden = sum(row["sql"] == "<insufficient privilege>" for row in rows)
    missing = ""
    if hidden:
        missing = f"{hidden} statements of other roles are hidden: GRANT pg_read_all_stats."
    return Found([_statement(row, alias) for row in rows if _ours(row["sql"])], missing)


def _statement(row: Row, alias: str) -> Statement:
    known = fingerprint(row["sql"], alias)
    # A text that the server had to make room for while the statement ran is stored with its values.
    sql = known.sql if "'" in row["sql"] else row["sql"]
    own = {"id": str(known.id), "sql": sql, "queryid": row["id"], "seconds": float(row["seconds"])}
    return Statement(**{**row, **own})


def _ours(sql: str) -> bool:
    """Whether a statement belongs to an application: not the catalog's, not a command."""
    if sql == "<insufficient privilege>":
        return False
    tree = parsing.single(parsing.repaired(sql))
    if tree is None:
        return len(sql) > parsing.LONGEST
    named = parsing.tables(tree)
    return bool(named) and not all(name.startswith(("pg_", "hypopg")) for name in named)


def from_texts(texts: Iterable[tuple[str, int]]) -> list[Statement]:
    """Statements of (SQL with its values, calls), such as those of a file or a test."""
    return [
        Statement(id=str(number), sql=sql, calls=calls, source="given")
        for number, (sql, calls) in enumerate(texts, start=1)
    ]
