from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_a_wider_index_begins_the_same(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int, b int)")
    admin.execute("CREATE INDEX narrow ON t (a)")
    admin.execute("CREATE INDEX wide ON t (a, b)")

    (found,) = find("overlapping_index")

    assert found.about == "narrow"
    assert "wide" in found.said


def test_constraints_and_other_orders_stay(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int UNIQUE, b int)")
    admin.execute("CREATE INDEX ON t (a, b)")
    admin.execute("CREATE INDEX ON t (b, a)")

    assert find("overlapping_index") == []


def test_a_partial_index_stays_beside_a_whole_one(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int, b int, open bool)")
    admin.execute("CREATE INDEX few ON t (a) WHERE open")
    admin.execute("CREATE INDEX wide ON t (a, b)")
    assert find("overlapping_index") == []

    admin.execute("CREATE INDEX few_in_order ON t (a, b) WHERE open")
    assert [found.about for found in find("overlapping_index")] == ["few"]
