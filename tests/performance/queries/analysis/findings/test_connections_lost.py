from __future__ import annotations

import pytest

from tests.performance.queries.analysis.findings.pools import found


def test_one_restart_is_nothing() -> None:
    assert found("connections_lost", waits=1000, lost=4) == []


@pytest.mark.parametrize(
    ("waits", "severity"), [(100_000, "info"), (1000, "warning"), (0, "warning")]
)
def test_many_are_lost(waits: int, severity: str) -> None:
    (one,) = found("connections_lost", waits=waits, lost=20)

    assert one.severity == severity
    assert one.said.startswith("20 connections")


def test_no_pool() -> None:
    assert found("connections_lost") == []
