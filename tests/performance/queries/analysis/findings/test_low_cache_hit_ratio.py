from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.findings import Finding, low_cache_hit_ratio

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_what_is_read_is_mostly_in_memory(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low_cache_hit_ratio, "BLOCKS", "SELECT 990000.0 AS hit, 10000.0 AS read")
    assert find("low_cache_hit_ratio") == []

    monkeypatch.setattr(low_cache_hit_ratio, "BLOCKS", "SELECT 500000.0 AS hit, 500000.0 AS read")
    assert len(find("low_cache_hit_ratio")) == 1


def test_the_query_is_one(find: Find) -> None:
    assert find("low_cache_hit_ratio") == []
