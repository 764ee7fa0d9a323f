from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.findings import Finding, large_table

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_only_what_is_large(admin: Admin, find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    admin.execute("CREATE TABLE t AS SELECT generate_series(1, 5000) AS a")
    assert find("large_table") == []

    monkeypatch.setattr(large_table, "LARGE", 100_000)
    assert [one.about for one in find("large_table")] == ["t"]
