from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def tables(admin: Admin) -> None:
    admin.execute("CREATE TABLE parent (id int PRIMARY KEY)")
    admin.execute("INSERT INTO parent SELECT generate_series(1, 10)")
    admin.execute("CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)")
    admin.execute("INSERT INTO child SELECT n, 1 + n % 10 FROM generate_series(1, 5000) n")
    admin.execute("ANALYZE child")


def test_a_key_without_an_index(admin: Admin, find: Find) -> None:
    tables(admin)

    (found,) = find("missing_foreign_key_index")

    assert found.about == "child(parent_id)"
    assert "ON public.child (parent_id)" in found.sql


def test_a_key_with_one(admin: Admin, find: Find) -> None:
    tables(admin)
    admin.execute("CREATE INDEX ON child (parent_id, id)")

    assert find("missing_foreign_key_index") == []


def test_a_partial_index_does_not_serve_the_key(admin: Admin, find: Find) -> None:
    tables(admin)
    admin.execute("CREATE INDEX ON child (parent_id) WHERE id > 10")

    assert len(find("missing_foreign_key_index")) == 1
