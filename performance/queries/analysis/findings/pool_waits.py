"""Pools: requests that wait for a connection."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

SLOW, VERY_SLOW = 0.05, 0.5  # seconds, at the 95th percentile
FEWEST = 100  # waits; before that a cold pool alone is slow


@finder("pool_waits")
def find(facts: Facts) -> Iterator[Finding]:
    pool = facts.pool
    if pool is None or pool.waits < FEWEST or pool.p95 < SLOW:
        return
    yield Finding(
        kind="pool_waits",
        severity=severity(pool.p95, warning=SLOW, critical=VERY_SLOW),
        about="connection pool",
        said=f"One in twenty waits at least {1000 * pool.p95:.0f} ms for a connection; up to "
        f"{pool.most_waiting:,} waited at a time.",
        remedy="See which views hold one long (long transactions, calls to other services inside "
        'them); then raise OPTIONS["pool"]["max_size"].',
        weight=pool.p95,
    )
