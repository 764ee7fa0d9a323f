"""Which verifier judges the suggestions of an analysis."""

from __future__ import annotations

from performance.queries.analysis.catalog import Catalog
from performance.queries.analysis.clone import Clone
from performance.queries.analysis.database import Database
from performance.queries.analysis.estimated import Estimated
from performance.queries.analysis.exceptions import AnalysisError
from performance.queries.analysis.hypothetical import HypoPG
from performance.queries.analysis.verifier import Verifier

CLONED = (
    "Indexes were built on a throw-away database with a sample of the rows: compare the costs with each "
    "other, not with those of the statements."
)
WITHOUT = (
    "HypoPG is not installed in this database: costs with an index are worked out from the statistics "
    "and marked 'estimated'. {how} or --verify clone proves them."
)


def choose(database: Database, catalog: Catalog, verify: str) -> tuple[Verifier, str]:
    """The verifier that `verify` asks for, and a remark. Raises AnalysisError."""
    if verify == "clone":
        return Clone(database, catalog), CLONED
    hypopg = HypoPG.of(database, catalog) if verify in ("auto", "hypopg") else None
    if hypopg is not None:
        return hypopg, ""
    if verify == "hypopg":
        raise AnalysisError(f"HypoPG is not installed in this database. {_how(database)}.")
    return Estimated(database, catalog), WITHOUT.format(how=_how(database))


def _how(database: Database) -> str:
    available = database.value("SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'")
    if available:
        return "CREATE EXTENSION hypopg"
    return f"The package postgresql-{database.version}-hypopg with CREATE EXTENSION hypopg"
