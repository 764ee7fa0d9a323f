"""From an alias of DATABASES and options to a report."""

from __future__ import annotations

from performance.queries.analysis.analysis import Options, Progress, Report, analysed
from performance.queries.analysis.database import Database, opened
from performance.queries.analysis.exceptions import AnalysisError
from performance.queries.analysis.statements import Statement, from_pg_stat_statements

MOST = 10_000  # statements that are read from one source


def analyse(
    alias: str, options: Options, progress: Progress = lambda stage, done, of: None
) -> Report:
    """Analyses the database `alias`. Raises AnalysisError where that cannot be done."""
    with opened(alias) as database:
        statements, notes = read_statements(database, alias, options)
        return analysed(database, statements, options, notes, progress)


def read_statements(
    database: Database, alias: str, options: Options
) -> tuple[list[Statement], list[str]]:
    """Statements of the sources asked for, the most costly first, and what is missing of them."""
    found = from_pg_stat_statements(database, min_calls=options.min_calls, most=MOST)
    if options.source == "pgss" and not found.statements and found.missing:
        raise AnalysisError(found.missing)
    return found.statements, [found.missing] if found.missing else []
