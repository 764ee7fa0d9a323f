from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.findings import Finding, connections_near_limit

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_far_from_the_limit(find: Find) -> None:
    assert find("connections_near_limit") == []


def test_near_the_limit(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    few = "SELECT 95 AS used, 100 AS most, 3 AS reserved"
    monkeypatch.setattr(connections_near_limit, "CONNECTIONS", few)

    (found,) = find("connections_near_limit")

    assert found.severity == "critical"
