from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_offset(find: Find) -> None:
    paging = "SELECT * FROM t ORDER BY id LIMIT $1 OFFSET $2"

    (found,) = find("offset_paging", paging, "SELECT * FROM t ORDER BY id LIMIT $1", "nonsense")

    assert "n times the first" in found.said
