"""Pools: connections that broke and were made anew."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

FEWEST = 5  # a restart of the server breaks those that are open, once
PART = 0.01  # of all uses


@finder("connections_lost")
def find(facts: Facts) -> Iterator[Finding]:
    pool = facts.pool
    if pool is None or pool.lost < FEWEST:
        return
    share = pool.lost / max(pool.waits, pool.lost)
    yield Finding(
        kind="connections_lost",
        severity=severity(share, warning=PART, critical=2.0),  # they were replaced: never critical
        about="connection pool",
        said=f"{pool.lost:,} connections were found broken and replaced, {share:.1%} of those handed out.",
        remedy="Look for restarts of the server, for firewalls or proxies that end idle connections, and "
        'keep OPTIONS["pool"]["max_idle"] below their limit.',
        weight=share,
    )
