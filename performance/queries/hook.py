"""The one hook of each database connection: sees every statement that goes through Django's cursors.

`connection.execute_wrapper()` in async middleware sees nothing, since the ORM runs on a thread whose
connection is another object. So the hook is put on each connection when it is made, and the context
variable of the scope, which asgiref carries along, says whose statement it is.

Not seen: COPY by `cursor.copy()`, `callproc()`, FETCHes of a server-side cursor and what the driver
sends by itself (BEGIN, COMMIT, health checks): Django has no hook there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from time import perf_counter_ns
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from performance import conf
from performance.queries import ended
from performance.queries.connections import watch_pool, watch_transactions
from performance.queries.scope import Scope, _current
from performance.queries.statements import Statement
from performance.queries.texts import text_of

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]


def connect() -> None:
    """Installs the hook on all connections to come and on those open in this context."""
    connection_created.connect(_install_if_enabled, dispatch_uid="performance.queries")
    for connection in connections.all(initialized_only=True):
        # One that is not open would have its pool made here, before tests have named their database.
        if connection.connection is not None:
            _install_if_enabled(connection=connection)


def _install_if_enabled(*, connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    if conf.configured().queries.enabled:
        install(connection)
        watch_transactions(connection)
        watch_pool(connection)


def install(connection: BaseDatabaseWrapper) -> None:
    """Puts the hook on one connection, once.

    It goes first: `execute_wrapper()` takes away the last one when it ends, and a connection may be
    made inside of such a block.
    """
    hook = _hook_of(connection.alias)
    if hook not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, hook)


@cache
def _hook_of(alias: str) -> Callable[..., Any]:
    current = _current.get
    now = perf_counter_ns

    def watch(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        scope = current()
        if scope is None:
            return execute(sql, params, many, context)
        if many:
            return _watch_many(scope, alias, execute, (sql, params), context)
        began = now()
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            _keep_failed(scope, alias, sql, now() - began, error, context)
            raise
        _keep(scope, alias, sql, params, now() - began, context)
        return result

    return watch


def _keep(
    scope: Scope, alias: str, sql: Any, params: Any, took: int, context: dict[str, Any]
) -> None:
    try:
        if sql.__class__ is not str or scope.ended:
            scope, sql = _usual(scope, sql, context)
        key = sql if alias == DEFAULT_DB_ALIAS else (alias, sql)
        statement = scope.statements.get(key)
        if statement is None:
            statement = scope.add(key, Statement(sql, alias, took, params))
        elif statement.early or took > statement.worst:
            statement.note(took, params, scope.writes, slow=took >= scope.slow)
        if statement.writes:
            scope.writes += 1
        runs = statement.runs
        runs += (took, context["cursor"].cursor.rowcount)
    except Exception:  # noqa: BLE001 - the statement itself went well
        ended.lost()


def _keep_failed(
    scope: Scope, alias: str, sql: Any, took: int, error: BaseException, context: dict[str, Any]
) -> None:
    try:
        scope, sql = _usual(scope, sql, context)
        key = sql if alias == DEFAULT_DB_ALIAS else (alias, sql)
        statement = scope.statements.get(key)
        if statement is None:
            statement = Statement(sql, alias, -1, None)
            statement.forget()
            statement = scope.add(key, statement)
        statement.runs += (took, -1)
        statement.failed(error, took, slow=took >= scope.slow)
    except Exception:  # noqa: BLE001 - the caller is to see its own error
        ended.lost()


def _watch_many(
    scope: Scope, alias: str, execute: Execute, call: tuple[Any, Any], context: dict[str, Any]
) -> Any:
    sql, rows = call
    sized = rows if hasattr(rows, "__len__") else _Counted(rows)
    error: BaseException | None = None
    began = perf_counter_ns()
    try:
        return execute(sql, sized, True, context)
    except BaseException as raised:
        error = raised
        raise
    finally:
        took = perf_counter_ns() - began
        try:
            scope, sql = _usual(scope, sql, context)
            _keep_many(scope, alias, sql, took, len(sized), error)
        except Exception:  # noqa: BLE001 - as above
            ended.lost()


def _keep_many(
    scope: Scope, alias: str, sql: str, took: int, times: int, error: BaseException | None
) -> None:
    key = (alias, sql, "many")
    statement = scope.statements.get(key)
    if statement is None:
        statement = scope.add(key, Statement(sql, alias, -1, None, many=True))
    statement.runs += (took, times)
    statement.batched += times - 1
    if error is not None:
        statement.failed(error, took, slow=took >= scope.slow)
        return
    statement.note(took, None, scope.writes, slow=took >= scope.slow)
    if statement.writes:
        scope.writes += 1


def _usual(scope: Scope, sql: Any, context: dict[str, Any]) -> tuple[Scope, str]:
    """A scope that is open, and the SQL as str."""
    return scope.after() if scope.ended else scope, text_of(sql, context["cursor"])


class _Counted:
    """Passes rows on and knows how many there were."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            self._count += 1
            yield row
