from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def table(admin: Admin, rows: int = 20_000) -> None:
    admin.execute(
        f"CREATE TABLE t AS SELECT n AS id, n % 500 AS owner, 'word' || n AS name FROM generate_series(1, {rows}) n"
    )
    admin.execute("ANALYZE t")


def test_large_and_unused(admin: Admin, find: Find) -> None:
    table(admin, 60_000)
    admin.execute("CREATE INDEX never ON t (name)")

    (found,) = find("unused_index")

    assert found.about == "never"
    assert found.sql == "DROP INDEX CONCURRENTLY public.never"


def test_unique_ones_are_needed(admin: Admin, find: Find) -> None:
    table(admin, 60_000)
    admin.execute("CREATE UNIQUE INDEX ON t (name)")

    assert find("unused_index") == []


def test_what_a_narrower_one_may_go_for_stays(admin: Admin, find: Find) -> None:
    table(admin, 60_000)
    admin.execute("CREATE INDEX ON t (owner)")
    admin.execute("CREATE INDEX wide ON t (owner, name)")

    assert "wide" not in [one.about for one in find("unused_index")]


def test_one_for_a_foreign_key_stays(admin: Admin, find: Find) -> None:
    table(admin, 60_000)
    admin.execute('CREATE TABLE "Owner" AS SELECT DISTINCT owner AS "Id" FROM t')
    admin.execute('ALTER TABLE "Owner" ADD PRIMARY KEY ("Id")')
    admin.execute('ALTER TABLE t RENAME owner TO "Owner"')
    admin.execute('ALTER TABLE t ADD FOREIGN KEY ("Owner") REFERENCES "Owner"')
    admin.execute('CREATE INDEX wide ON t ("Owner", name)')

    assert find("unused_index") == []
