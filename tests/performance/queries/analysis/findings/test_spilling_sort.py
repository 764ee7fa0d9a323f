from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding
from performance.queries.analysis.statements import Statement

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_temporary_files(find: Find) -> None:
    spilling = Statement(id="1", sql="SELECT 1 FROM t", calls=2, seconds=1, spilled=2560)

    (found,) = find("spilling_sort", spilling, "SELECT 2 FROM t")

    assert "10 MB" in found.said
    assert "work_mem = '30MB'" in found.remedy
