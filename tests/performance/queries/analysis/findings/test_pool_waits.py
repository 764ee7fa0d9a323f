from __future__ import annotations

import pytest

from tests.performance.queries.analysis.findings.pools import found


@pytest.mark.parametrize(("waits", "p95"), [(1000, 0.001), (99, 3.0)])
def test_short_or_few_waits(waits: int, p95: float) -> None:
    assert found("pool_waits", waits=waits, p95=p95) == []


@pytest.mark.parametrize(("p95", "severity"), [(0.06, "warning"), (0.6, "critical")])
def test_long_waits(p95: float, severity: str) -> None:
    (one,) = found("pool_waits", waits=1000, p95=p95, most_waiting=7)

    assert one.severity == severity
    assert "up to 7 waited" in one.said


def test_no_pool() -> None:
    assert found("pool_waits") == []
