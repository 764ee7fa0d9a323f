"""Tables with more dead rows than autovacuum should let be, or near the end of their transaction ids."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.expressions import quoted
from performance.queries.analysis.findings.base import Facts, Finding, Severity, finder, severity

FEW_DEAD = 10_000
OLD = 1_000_000_000  # transactions; PostgreSQL stops at about 2.1 thousand million


@finder("autovacuum_behind")
def find(facts: Facts) -> Iterator[Finding]:
    for table in facts.catalog.tables:
        if table.kind == "p":
            continue
        vacuum = f"VACUUM (ANALYZE) {quoted(table.schema)}.{quoted(table.name)}"
        share = table.dead / max(table.live + table.dead, 1)
        if table.dead >= FEW_DEAD and share >= 0.3:
            off = "autovacuum_enabled=false" in table.options
            yield Finding(
                kind="autovacuum_behind",
                severity=severity(share, warning=0.3, critical=0.6),
                about=table.label,
                said=f"{table.dead:,} dead rows beside {table.live:,} live ones"
                + ("; autovacuum is switched off for it." if off else "."),
                remedy="Vacuum it; lower autovacuum_vacuum_scale_factor for the table, and look for "
                "transactions that stay open.",
                sql=vacuum,
                weight=table.dead,
            )
        if table.age > OLD:
            yield Finding(
                kind="autovacuum_behind",
                severity=Severity.CRITICAL,
                about=table.label,
                said=f"Its oldest row is {table.age:,} transactions old; near 2,100,000,000 "
                "PostgreSQL stops taking writes.",
                remedy="Vacuum it now.",
                sql=vacuum.replace("(ANALYZE)", "(FREEZE)"),
                weight=table.age,
            )
