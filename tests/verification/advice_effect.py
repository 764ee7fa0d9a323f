"""`python -m tests.verification.advice_effect`: the workload's measured time before and after the advice.

Two workloads on PostgreSQL 18, each asked through pg_stat_statements as in production: the chat's tables with
a million messages and pgbench's schema, both without their secondary indexes. What `analyze_queries` suggests
is built, and the same statements run again. Passes where each takes at most half the time.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import django
import psycopg

from chatsite.embedded import running
from tests import postgresql

Place = dict[str, Any]
Connection = psycopg.Connection[Any]
MESSAGES = 1_000_000
ROUNDS = 3
CALLS = 4  # of each statement in a round

CHAT = f"""
CREATE TABLE conversation (id bigint PRIMARY KEY, user_id int NOT NULL, title text, updated_at timestamptz NOT NULL);
CREATE TABLE message (id bigint PRIMARY KEY, conversation_id bigint NOT NULL REFERENCES conversation,
    role text NOT NULL, text text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE reply (id bigint PRIMARY KEY, message_id bigint NOT NULL REFERENCES message, status text NOT NULL,
    attempt int NOT NULL, started_at timestamptz);
INSERT INTO conversation SELECT n, n % 2000, 'Conversation ' || n, timestamptz '2025-01-01' + n * interval '7 min'
    FROM generate_series(1, 20000) n;
INSERT INTO message SELECT n, 1 + n::bigint * 7919 % 20000, CASE WHEN n % 2 = 0 THEN 'user' ELSE 'assistant' END,
    repeat(md5(n::text), 3), timestamptz '2025-01-01' + n * interval '9 s' FROM generate_series(1, {MESSAGES}) n;
INSERT INTO reply SELECT n, n * 2 - 1, CASE WHEN n % 20000 = 0 THEN 'pending' ELSE 'complete' END, 1 + n % 2,
    timestamptz '2025-01-01' + n * interval '18 s' FROM generate_series(1, {MESSAGES // 4}) n
"""
CHAT_QUERIES: list[tuple[str, Callable[[], list[Any]]]] = [
    ("SELECT * FROM message WHERE conversation_id = %s ORDER BY created_at DESC, id DESC LIMIT 50",
     lambda: [random.randint(1, 20_000)]),
    ("SELECT id, title FROM conversation WHERE user_id = %s ORDER BY updated_at DESC LIMIT 30",
     lambda: [random.randint(0, 1999)]),
    ("SELECT count(*) FROM message WHERE conversation_id = %s", lambda: [random.randint(1, 20_000)]),
    ("SELECT * FROM reply WHERE message_id = %s", lambda: [random.randint(1, 400_000)]),
    ("SELECT id FROM reply WHERE status = %s AND attempt = %s ORDER BY started_at LIMIT 10", lambda: ["pending", 1]),
    ("SELECT m.id, r.status FROM message m JOIN reply r ON r.message_id = m.id WHERE m.conversation_id = %s",
     lambda: [random.randint(1, 20_000)]),
]  # fmt: skip

PGBENCH = """
CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88));
CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84));
CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84));
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
INSERT INTO pgbench_branches SELECT n, 0, '' FROM generate_series(1, 5) n;
INSERT INTO pgbench_tellers SELECT n, (n - 1) / 10 + 1, 0, '' FROM generate_series(1, 50) n;
INSERT INTO pgbench_accounts SELECT n, (n - 1) / 100000 + 1, 0, '' FROM generate_series(1, 500000) n
"""
PGBENCH_QUERIES: list[tuple[str, Callable[[], list[Any]]]] = [
    ("UPDATE pgbench_accounts SET abalance = abalance + %s WHERE aid = %s",
     lambda: [random.randint(-5000, 5000), random.randint(1, 500_000)]),
    ("SELECT abalance FROM pgbench_accounts WHERE aid = %s", lambda: [random.randint(1, 500_000)]),
    ("UPDATE pgbench_tellers SET tbalance = tbalance + %s WHERE tid = %s", lambda: [1, random.randint(1, 50)]),
    ("UPDATE pgbench_branches SET bbalance = bbalance + %s WHERE bid = %s", lambda: [1, random.randint(1, 5)]),
    ("INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (%s, %s, %s, %s, now())",
     lambda: [1, 1, random.randint(1, 500_000), 1]),
]  # fmt: skip


def timed(connection: Connection, queries: list[tuple[str, Callable[[], list[Any]]]]) -> float:
    """Seconds of one round, with values that are the same each time it is asked for."""
    random.seed(7)
    started = time.perf_counter()
    for sql, values in queries * CALLS:
        cursor = connection.execute(sql.encode(), values())
        if cursor.description:
            cursor.fetchall()
    return time.perf_counter() - started


def measured(
    place: Place, schema: str, queries: list[tuple[str, Callable[[], list[Any]]]]
) -> dict[str, Any]:
    """One workload: asked, analysed, advised, asked again."""
    with psycopg.connect(**place, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        for statement in schema.split(";\n"):
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")
        timed(connection, queries)
        connection.execute("SELECT pg_stat_statements_reset()")
        before = statistics.median(timed(connection, queries) for _ in range(ROUNDS))
        indexes, took = advised(place)
        for ddl in indexes:
            connection.execute(ddl.encode())
        connection.execute("ANALYZE")
        timed(connection, queries)
        after = statistics.median(timed(connection, queries) for _ in range(ROUNDS))
    return {
        "before": before,
        "after": after,
        "ratio": after / before,
        "indexes": indexes,
        "analysis": took,
    }


def advised(place: Place) -> tuple[list[str], float]:
    """What the analysis suggests, and how long it took, in seconds."""
    from performance.queries.analysis.analysis import Options, analysed
    from performance.queries.analysis.database import Database
    from performance.queries.analysis.statements import from_pg_stat_statements

    with psycopg.connect(**place) as connection:
        database = Database(connection)
        found = from_pg_stat_statements(database)
        report = analysed(database, found.statements, Options())
    return [one.index.create(concurrently=False) for one in report.suggestions], report.seconds


def workloads() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema, queries in (
        ("chat", CHAT, CHAT_QUERIES),
        ("pgbench", PGBENCH, PGBENCH_QUERIES),
    ):
        with postgresql.scratch(postgresql.embedded(), f"effect_{os.getpid()}") as place:
            yield name, measured(place, schema, queries)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.conf import settings

    figures: dict[str, Any] = {}
    names = tuple(filter(None, os.environ["TEST_EMBEDDED"].split(",")))
    with running(settings.DATA_DIR, names, volatile=True):
        for name, found in workloads():
            figures[name] = found
            lines = [
                f"{name}: {found['before']:.3f} s before, {found['after']:.3f} s after ({found['ratio']:.1%})"
            ]
            lines += [f"  {ddl}" for ddl in found["indexes"]]
            print("\n".join(lines))  # noqa: T201
    ratios = {name: round(found["ratio"], 4) for name, found in figures.items()}
    print(json.dumps({"name": "advice_effect", "figures": figures, "ratios": ratios}))  # noqa: T201
    return int(any(ratio > 0.5 for ratio in ratios.values()))


if __name__ == "__main__":
    sys.exit(main())
