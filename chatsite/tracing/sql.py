"""A span for each SQL statement, with its values taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from opentelemetry import trace

from performance import tracing
from performance.queries.fingerprint import fingerprint
from performance.queries.texts import text_of

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]


def watch() -> None:
    """Follows every connection, those that are open already too."""
    connection_created.connect(_follow, dispatch_uid="chatsite.tracing.sql")
    for connection in connections.all(initialized_only=True):
        _follow(connection=connection)


def _follow(*, connection: BaseDatabaseWrapper, **_kwargs: object) -> None:
    if _traced not in connection.execute_wrappers:
        connection.execute_wrappers.append(_traced)


def _traced(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if not trace.get_current_span().is_recording():
        return execute(sql, params, many, context)
    found = fingerprint(text_of(sql, context["cursor"]))
    operation, alias = found.kind.upper(), context["connection"].alias
    attributes = {
        "db.system.name": "postgresql",
        "db.namespace": alias,
        "db.operation.name": operation,
        "db.query.text": found.sql[:2000],
    }
    with tracing.span(f"{operation} {alias}", attributes, kind="client"):
        return execute(sql, params, many, context)
