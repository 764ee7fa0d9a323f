from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_the_same_twice(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int, b int)")
    admin.execute("CREATE INDEX one ON t (a, b)")
    admin.execute("CREATE INDEX two ON t (a, b)")

    (found,) = find("duplicate_index")

    assert found.about == "two"
    assert "one" in found.said


def test_those_that_differ(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int, b int, c text)")
    for definition in (
        "(a)",
        "(a DESC)",
        "(a) WHERE b > 1",
        "(a, b)",
        "(b, a)",
        "(lower(c))",
        "(c text_pattern_ops)",
        "(c)",
    ):
        admin.execute(f"CREATE INDEX ON t {definition}".encode())
    admin.execute("CREATE INDEX ON t USING hash (a)")

    assert find("duplicate_index") == []


def test_a_key_and_an_index_of_the_same(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int PRIMARY KEY)")
    admin.execute("CREATE INDEX again ON t (a)")

    assert [one.about for one in find("duplicate_index")] == ["again"]
