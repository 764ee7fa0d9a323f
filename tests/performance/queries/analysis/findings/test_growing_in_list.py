from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_long_lists(find: Find) -> None:
    long = "SELECT * FROM t WHERE id IN (" + ", ".join(f"${n}" for n in range(1, 301)) + ")"
    longest = "SELECT * FROM t WHERE id IN (" + ", ".join(["1234567"] * 40_000) + ")"

    found = find("growing_in_list", long, longest, "SELECT * FROM t WHERE id IN ($1, $2)")

    assert len(found) == 2
    assert "300 values" in found[0].said
    assert "40,000 values" in found[1].said
