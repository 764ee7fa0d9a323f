from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_blocks_from_outside(find: Find) -> None:
    cold = Statement(id="1", sql="SELECT 1 FROM t", calls=1, seconds=1.0, hit=500, read=2000)
    warm = Statement(id="2", sql="SELECT 2 FROM t", calls=1, seconds=1.0, hit=50_000, read=2000)

    (found,) = find("cold_reads", cold, warm)

    assert "20% found there" in found.said
