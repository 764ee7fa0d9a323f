"""Pools: requests that waited for a connection until they gave up."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder


@finder("pool_exhausted")
def find(facts: Facts) -> Iterator[Finding]:
    pool = facts.pool
    if pool is None or not pool.timeouts:
        return
    yield Finding(
        kind="pool_exhausted",
        severity=Severity.CRITICAL,
        about="connection pool",
        said=f"{pool.timeouts:,} times nobody gave a connection back in time, and the caller failed.",
        remedy='Shorten transactions and what runs inside them; then raise OPTIONS["pool"]["max_size"], '
        "within the server's max_connections.",
        weight=pool.timeouts,
    )
