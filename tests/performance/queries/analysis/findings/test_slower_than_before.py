from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_the_trend(find: Find) -> None:
    def statement(mean: float, before: float | None) -> Statement:
        return Statement(id="1", sql="SELECT 1 FROM t", calls=10, seconds=10 * mean, before=before)

    (found,) = find("slower_than_before", statement(0.02, 0.01))
    assert "2.0 times" in found.said
    assert find("slower_than_before", statement(0.012, 0.01)) == []
    assert find("slower_than_before", statement(0.02, None)) == []
    assert find("slower_than_before", statement(0.0002, 0.0001)) == []
