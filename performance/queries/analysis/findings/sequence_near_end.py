"""Sequences, and the integer columns that they fill, near the greatest value."""

from __future__ import annotations

from collections.abc import Iterator

from performance.queries.analysis.findings.base import Facts, Finding, finder, severity

SEQUENCES = """
SELECT s.schemaname AS schema, s.sequencename AS name, s.last_value, s.max_value,
    t.relname AS table, a.attname AS column,
    CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END AS room
FROM pg_sequences s
JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = n.oid AND c.relkind = 'S'
LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE s.last_value IS NOT NULL AND s.increment_by > 0 AND NOT s.cycle
"""
SOON = 0.5


@finder("sequence_near_end")
def find(facts: Facts) -> Iterator[Finding]:
    for row in facts.database.rows(SEQUENCES):
        room = min(row["max_value"], row["room"] or row["max_value"])
        used = row["last_value"] / room
        if used < SOON:
            continue
        column = f" of {row['table']}.{row['column']}" if row["column"] else ""
        yield Finding(
            kind="sequence_near_end",
            severity=severity(used, warning=SOON, critical=0.8),
            about=f"{row['schema']}.{row['name']}",
            said=f"{used:.0%} of the values{column} are used up; inserts fail at the end.",
            remedy="Make the column a bigint (BigAutoField) and raise the sequence's MAXVALUE.",
            weight=used,
        )
