from __future__ import annotations

from tests.performance.queries.analysis.findings.pools import found


def test_nobody_gave_up() -> None:
    assert found("pool_exhausted", timeouts=0) == []


def test_somebody_gave_up() -> None:
    (one,) = found("pool_exhausted", timeouts=3)

    assert one.severity == "critical"
    assert one.said.startswith("3 times")


def test_no_pool() -> None:
    assert found("pool_exhausted") == []
