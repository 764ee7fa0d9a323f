from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_entries_of_rows_that_are_gone(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a bigint)")
    admin.execute("INSERT INTO t SELECT generate_series(1, 500000)")
    admin.execute("CREATE INDEX blown ON t (a)")
    admin.execute("DELETE FROM t WHERE a % 10 <> 0")
    admin.execute("VACUUM ANALYZE t")

    (found,) = find("bloated_index")
    assert found.about == "blown"

    admin.execute("REINDEX INDEX blown")
    assert find("bloated_index") == []
