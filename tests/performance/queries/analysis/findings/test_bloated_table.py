from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_space_of_rows_that_are_gone(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a text)")
    admin.execute("INSERT INTO t SELECT repeat('x', 200) FROM generate_series(1, 100000)")
    admin.execute("DELETE FROM t WHERE ctid::text LIKE '%1)' OR ctid::text NOT LIKE '%5)'")
    admin.execute("VACUUM ANALYZE t")

    assert [one.about for one in find("bloated_table")] == ["t"]

    admin.execute("VACUUM FULL ANALYZE t")
    assert find("bloated_table") == []
