"""What the role may not do, and what the report lacks for it."""

from __future__ import annotations

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.database import Database

HIDDEN = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'))
"""
READS_STATISTICS = """
SELECT pg_has_role('pg_read_all_stats', 'USAGE')
    OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
"""


def missing_privileges(database: Database, catalog: Catalog) -> list[str]:
    """A sentence for each privilege whose lack makes the report poorer."""
    lacking = []
    hidden = database.value(HIDDEN)
    if hidden:
        lacking.append(
            f"{hidden} of {len(catalog.tables)} tables may not be read: their statements are not planned "
            "and their columns' statistics not seen. GRANT SELECT on them, or pg_read_all_data."
        )
    if not database.value(READS_STATISTICS):
        lacking.append(
            "Other roles' sessions and statements are hidden: lock waits, idle transactions and their "
            "statements are missing. GRANT pg_read_all_stats (or pg_monitor)."
        )
    if database.value("SELECT pg_is_in_recovery()"):
        lacking.append(
            "This is a replica: counts of use are its own; look at the primary before dropping anything."
        )
    return lacking
