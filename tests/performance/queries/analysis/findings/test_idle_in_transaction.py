from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.findings import Finding, idle_in_transaction

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_a_transaction_that_does_nothing(
    place: dict[str, Any], find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_in_transaction, "SECONDS", 0.0)
    with psycopg.connect(**place, application_name="dreamer") as idle:
        idle.execute("SELECT 1")
        (found,) = find("idle_in_transaction")

    assert "dreamer" in found.said
    assert find("idle_in_transaction") == []
