"""Connections: how near the server's limit, and pools that keep requests waiting."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
    current_setting('max_connections')::int AS most,
    current_setting('superuser_reserved_connections')::int AS reserved
"""


@finder("connections_near_limit")
def find(facts: Facts) -> Iterator[Finding]:
    row = facts.database.rows(CONNECTIONS)[0]
    share = row["used"] / max(row["most"] - row["reserved"], 1)
    if share < 0.7:
        return
    yield Finding(
        kind="connections_near_limit",
        severity=severity(share, warning=0.7, critical=0.9),
        about="max_connections",
        said=f"{row['used']} of {row['most'] - row['reserved']} connections are taken; the next ones "
        "are refused.",
        remedy="Make the pools of the processes smaller, or put PgBouncer in front.",
        weight=share,
    )
