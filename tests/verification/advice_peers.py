"""How two known advisors choose indexes, after their published methods, run on the same server.

Both ask the planner through HypoPG about the statement as pg_stat_statements has it, without values.
supabase/index_advisor: one hypothetical index for each column of the schema that has none; what the plan
uses is the advice. dexter: the same for the columns that the statement names, then for pairs of them;
accepted where the cost falls by half, and by 100 more for a pair.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

import pgparse
import psycopg

from performance.queries.analysis import parsing

KINDS = (
    "int2", "int4", "int8", "float4", "float8", "numeric", "bool", "date", "timestamp", "timestamptz",
    "text", "varchar", "bpchar", "bytea", "uuid",
)  # fmt: skip
COLUMNS = """
SELECT n.nspname AS schema, c.relname AS table, a.attname AS column
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'm') AND t.typname = ANY(%s)
    AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum)
"""
Connection = psycopg.Connection[Any]


def normalised(sql: str) -> str:
    """The statement as pg_stat_statements stores it."""
    return pgparse.normalize(sql)


def index_advisor(connection: Connection, queries: Iterable[str]) -> list[str]:
    """What supabase/index_advisor suggests for each statement, together."""
    found: dict[str, None] = {}
    columns = _columns(connection)
    for sql in queries:
        used = _used(connection, sql, [_on(one) for one in columns])[1]
        found |= dict.fromkeys(used)
    return list(found)


def dexter(connection: Connection, queries: Iterable[str]) -> list[str]:
    """What dexter suggests for each statement, together; a longer index covers its beginning."""
    found: dict[str, None] = {}
    columns = _columns(connection)
    for sql in queries:
        tree = parsing.single(sql) or {}
        named = {
            f["fields"][-1].get("String", {}).get("sval")
            for n, f in parsing.walk(tree)
            if n == "ColumnRef"
        }
        tables = parsing.tables(tree)
        near = [one for one in columns if one[1] in tables and one[2] in named]
        found |= dict.fromkeys(_chosen(connection, sql, near))
    return [ddl for ddl in found if not any(other.startswith(ddl[:-1] + ",") for other in found)]


def _chosen(connection: Connection, sql: str, near: list[tuple[str, str, str]]) -> list[str]:
    before, _ = _used(connection, sql, [])
    single = [_on(one) for one in near]
    pairs = [
        _on(first, second)
        for first, second in itertools.permutations(near, 2)
        if first[:2] == second[:2]
    ]
    one, by_one = _used(connection, sql, single)
    two, by_two = _used(connection, sql, [*single, *pairs])
    cost, used = (two, by_two) if one - two > 100 else (one, by_one)
    return used if cost <= before * 0.5 else []


def _on(first: tuple[str, str, str], second: tuple[str, str, str] | None = None) -> str:
    columns = ", ".join(f'"{one[2]}"' for one in (first, second) if one)
    return f'CREATE INDEX ON "{first[0]}"."{first[1]}" ({columns})'


def _columns(connection: Connection) -> list[tuple[str, str, str]]:
    return connection.execute(COLUMNS, [list(KINDS)]).fetchall()


def _used(connection: Connection, sql: str, indexes: list[str]) -> tuple[float, list[str]]:
    """The generic cost of a statement with hypothetical indexes, and those that its plan uses."""
    connection.execute("SELECT hypopg_reset()")
    names = {}
    for ddl in indexes:
        name = connection.execute("SELECT indexname FROM hypopg_create_index(%s)", [ddl]).fetchone()
        names[name[0] if name else ""] = ddl
    cost, text = _generic(connection, sql)
    connection.execute("SELECT hypopg_reset()")
    return cost, [
        names[name] for name in dict.fromkeys(re.findall(r"<\d+>[^\"]+", text)) if name in names
    ]


def _generic(connection: Connection, sql: str) -> tuple[float, str]:
    import json

    connection.execute("SET plan_cache_mode = force_generic_plan")
    try:
        connection.execute(f"PREPARE peer AS {sql}".encode())
        count = connection.execute(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'peer'"
        ).fetchone()
        values = f"({', '.join(['NULL'] * count[0])})" if count and count[0] else ""
        found = connection.execute(
            f"EXPLAIN (FORMAT JSON) EXECUTE peer{values}".encode()
        ).fetchone()
    except psycopg.Error:
        return 0.0, ""
    finally:
        connection.execute("SET plan_cache_mode = auto")
        if connection.execute(
            "SELECT 1 FROM pg_prepared_statements WHERE name = 'peer'"
        ).fetchone():
            connection.execute("DEALLOCATE peer")
    assert found
    return float(found[0][0]["Plan"]["Total Cost"]), json.dumps(found[0])
