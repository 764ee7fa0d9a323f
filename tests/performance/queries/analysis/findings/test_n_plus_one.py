from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_repetitions_in_one_request(find: Find) -> None:
    repeated = Statement(
        id="1",
        sql="SELECT 1 FROM t",
        calls=100,
        seconds=1.0,
        repeats=50,
        callers=("view (a.py:3)",),
    )

    (found,) = find("n_plus_one", repeated, "SELECT 2 FROM t")

    assert "50 times" in found.said
    assert "a.py:3" in found.said
    assert found.severity == "critical"
