"""Sessions that hold a transaction open and do nothing: they keep locks and hold vacuum back."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

IDLE = """
SELECT pid, coalesce(application_name, '') AS application,
    extract(epoch FROM now() - state_change)::float AS seconds,
    extract(epoch FROM now() - xact_start)::float AS transaction
FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%' AND datname = current_database()
"""
SECONDS = 1.0


@finder("idle_in_transaction")
def find(facts: Facts) -> Iterator[Finding]:
    for row in facts.database.rows(IDLE):
        if (row["seconds"] or 0) < SECONDS:
            continue
        yield Finding(
            kind="idle_in_transaction",
            severity=severity(row["seconds"], warning=10, critical=300),
            about=f"session {row['pid']}",
            said=f"{row['application'] or 'A client'} has been idle for {row['seconds']:.0f} s inside a "
            f"transaction of {row['transaction'] or 0:.0f} s.",
            remedy="Make no slow call inside atomic(); set idle_in_transaction_session_timeout.",
            weight=row["seconds"],
        )
