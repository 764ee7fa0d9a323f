"""Sessions that wait for another one's lock, now."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

WAITING = """
SELECT a.pid, pg_blocking_pids(a.pid) AS blockers,
    extract(epoch FROM now() - coalesce(w.since, a.query_start))::float AS seconds,
    (SELECT string_agg(DISTINCT coalesce(b.application_name, '') || ' ' || coalesce(b.state, ''), ', ')
        FROM pg_stat_activity b WHERE b.pid = ANY(pg_blocking_pids(a.pid))) AS by
FROM pg_stat_activity a
LEFT JOIN LATERAL (SELECT min(waitstart) AS since FROM pg_locks l
    WHERE l.pid = a.pid AND NOT l.granted) w ON true
WHERE a.wait_event_type = 'Lock' AND a.datname = current_database()
"""


@finder("lock_wait")
def find(facts: Facts) -> Iterator[Finding]:
    for row in facts.database.rows(WAITING):
        if not row["blockers"]:
            continue
        blockers = ", ".join(map(str, row["blockers"]))
        yield Finding(
            kind="lock_wait",
            severity=severity(row["seconds"] or 0, warning=1, critical=30),
            about=f"session {row['pid']}",
            said=f"It has waited {row['seconds'] or 0:.0f} s for a lock of session {blockers}"
            f" ({(row['by'] or '').strip()}).",
            remedy="End the transaction that holds the lock; give migrations a lock_timeout.",
            sql=f"SELECT pg_terminate_backend({row['blockers'][0]})",
            weight=row["seconds"] or 0,
        )
