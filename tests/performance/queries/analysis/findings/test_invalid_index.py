from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from performance.queries.analysis.findings import Finding

Find = Callable[..., list[Finding]]
Admin = psycopg.Connection[Any]


def test_what_a_failed_build_left(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int)")
    admin.execute("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        admin.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")

    (found,) = find("invalid_index")

    assert (found.about, found.severity) == ("broken", "critical")


def test_sound_ones(admin: Admin, find: Find) -> None:
    admin.execute("CREATE TABLE t (a int PRIMARY KEY)")

    assert find("invalid_index") == []
