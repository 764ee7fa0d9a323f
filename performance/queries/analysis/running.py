"""From an alias of DATABASES and options to a report."""

from __future__ import annotations

import psycopg
from django.apps import apps
from django.db import DatabaseError

from performance.queries.analysis import parsing
from performance.queries.analysis.analysis import Options, Progress, Report, analysed
from performance.queries.analysis.database import Database, opened, reason
from performance.queries.analysis.exceptions import AnalysisError
from performance.queries.analysis.pools import pool_of
from performance.queries.analysis.recorded import from_log, merged, with_samples
from performance.queries.analysis.statements import Found, Statement, from_pg_stat_statements

MOST = 10_000  # statements that are read from one source


def analyse(
    alias: str, options: Options, progress: Progress = lambda stage, done, of: None
) -> Report:
    """Analyses the database `alias`. Raises AnalysisError where that cannot be done."""
    with opened(alias) as database:
        try:
            statements, notes = read_statements(database, alias, options)
            with_samples(statements[: options.planned], database)
            return analysed(
                database, statements, options, notes, progress, pool_of(alias, options.since)
            )
        except psycopg.Error as error:
            raise AnalysisError(
                f"The analysis of {alias!r} was ended by the database: {reason(error)}."
            ) from None


def read_statements(
    database: Database, alias: str, options: Options
) -> tuple[list[Statement], list[str]]:
    """Statements of the sources asked for, the most costly first, and what is missing of them."""
    found = Found([])
    if options.source != "app":
        found = from_pg_stat_statements(database, alias, min_calls=options.min_calls, most=MOST)
    if options.source == "pgss" and not found.statements and found.missing:
        raise AnalysisError(found.missing)
    logged, why = _logged(alias, options) if options.source != "pgss" else ([], "")
    statements = merged(found.statements, logged)
    if options.app:
        statements = _of_app(statements, options.app)
    return statements, [note for note in (found.missing, why) if note]


def _logged(alias: str, options: Options) -> tuple[list[Statement], str]:
    """The log's statements; it is in this project's own database, which may be away or not migrated."""
    try:
        found = from_log(alias, options.since, min_calls=options.min_calls, most=MOST)
    except DatabaseError as error:
        if options.source == "app":
            raise AnalysisError(f"The query log cannot be read: {type(error).__name__}.") from None
        return [], f"The query log cannot be read: {type(error).__name__}."
    return found, ""


def _of_app(statements: list[Statement], label: str) -> list[Statement]:
    """Statements on a table of the app `label`."""
    try:
        models = apps.get_app_config(label).get_models(include_auto_created=True)
    except LookupError:
        raise AnalysisError(f"There is no app {label!r} in INSTALLED_APPS.") from None
    names = {model._meta.db_table for model in models}  # noqa: SLF001
    return [one for one in statements if names & _tables(one)]


def _tables(statement: Statement) -> set[str]:
    tree = parsing.single(parsing.repaired(statement.sql))
    return parsing.tables(tree) if tree else set()
