"""Writes TaskRun rows: a few times a second for all runs that ended, never while one waits for it."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    close_old_connections,
    connection,
    reset_queries,
)

from performance.models import TaskRun
from performance.queues import results
from performance.queues.options import TaskOptions, key_for
from performance.queues.signals import tasks_measured
from performance.queues.worker.run import Run

logger = structlog.get_logger(__name__)

EVERY = 1.0
AT_ONCE = 2000
MOST_KEPT = 50_000
"""Rows kept while the database is away; older ones are dropped and counted."""

_COLUMNS = (
    *("task_id", "task", "level", "status", "waited", "ran", "attempt", "error", "worker"),
    *("correlation_id", "who", "about", "arguments", "started_at", "finished_at"),
)
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_STATUSES = {
    "ok": TaskRun.Status.SUCCESSFUL,
    "fail": TaskRun.Status.FAILED,
    "retry": TaskRun.Status.RETRIED,
    "stop": TaskRun.Status.STOPPED,
    "park": TaskRun.Status.PARKED,
    "lost": TaskRun.Status.LOST,
}


class Recorder(threading.Thread):
    """`add` takes a run, on any thread; `stop` writes what is left and ends.

    All runs are told to the receivers of `tasks_measured`; rows are written where `writes`.
    """

    def __init__(self, *, writes: bool = True) -> None:
        super().__init__(name="recorder", daemon=True)
        self._writes = writes
        self._ended: deque[Run] = deque(maxlen=MOST_KEPT)
        self._runs: deque[Run] = deque(maxlen=MOST_KEPT)
        self._stopped = threading.Event()
        self.dropped = 0

    def add(self, run: Run) -> None:
        """Remembers the run for the next batch."""
        self._ended.append(run)
        if self._writes and (run.options is None or run.options.record):
            self.dropped += len(self._runs) == MOST_KEPT
            self._runs.append(run)

    def stop(self) -> None:
        """Ends the thread once everything is written, or at once where the database is away."""
        self._stopped.set()
        self.join(timeout=5)

    def run(self) -> None:
        """Writes once a second."""
        while not self._stopped.wait(EVERY):
            self._tell()
            self._write_all()
        self._tell()
        self._write_all()
        close_old_connections()

    def _tell(self) -> None:
        ended = [self._ended.popleft() for _ in range(len(self._ended))]
        if ended and tasks_measured.has_listeners(type(self)):
            tasks_measured.send_robust(type(self), runs=[measured(run) for run in ended])

    def _write_all(self) -> None:
        while self._runs:
            batch = [self._runs.popleft() for _ in range(min(AT_ONCE, len(self._runs)))]
            try:
                close_old_connections()
                reset_queries()
                write_sound([row for run in batch if (row := _row_or_none(run))])
            except (DatabaseError, InterfaceError) as error:
                logger.warning("task_runs_postponed", rows=len(batch), error=type(error).__name__)
                self._runs.extendleft(reversed(batch))
                return
            except Exception:
                logger.exception("task_runs_lost", rows=len(batch))


def _row_or_none(run: Run) -> tuple[Any, ...] | None:
    try:
        return tuple(_without_nul(value) for value in row_of(run))
    except Exception:
        logger.exception("task_run_lost", task_id=run.id)
        return None


def _without_nul(value: Any) -> Any:
    return value.replace("\x00", "") if isinstance(value, str) else value


def measured(run: Run) -> tuple[str, str, str, float, float]:
    """Task, level, status, seconds waited, seconds run."""
    status = _STATUSES[run.kind or "ok"].value
    try:
        waited = _waited(run)
    except ValueError:  # what its record says is no time
        waited = 0.0
    return run.name, run.level, status, waited, max(run.took, 0.0)


def _waited(run: Run) -> float:
    known = run.result.enqueued_at if run.result else None
    enqueued = known or results.time_of(run.enqueued_at)
    return max(0.0, (run.began or run.started) - enqueued.timestamp()) if enqueued else 0.0


def row_of(run: Run) -> tuple[Any, ...]:
    """The row's values, in the order of the columns."""
    options = run.options or TaskOptions()
    arguments = run.result.kwargs if run.result else {}
    safe = {name: arguments[name] for name in options.safe_arguments if name in arguments}
    return (
        run.id,
        run.name[:200],
        run.level,
        _STATUSES[run.kind or "ok"].value,
        _waited(run),
        run.took,
        run.attempt,
        run.error[:200],
        run.worker[:64],
        (run.meta.correlation_id or run.meta.request_id)[:64],
        _described(options.who, run)[:100],
        _described(options.about, run)[:200],
        _as_json(safe) if safe else None,
        datetime.fromtimestamp(run.began or run.started, UTC),
        datetime.fromtimestamp(run.ended, UTC),
    )


def _as_json(values: dict[str, Any]) -> str:
    """PostgreSQL's JSON holds no NUL. An escaped backslash before "u0000" is not one."""
    text = msgspec.json.encode(values).decode()
    return _ESCAPED_NUL.sub(r"\1", text)


def _described(template: Any, run: Run) -> str:
    if not template or run.result is None:
        return ""
    with suppress(Exception):
        return str(key_for(template, run.result.args, run.result.kwargs)).replace("\x00", "")
    return ""


def write_sound(rows: Sequence[tuple[Any, ...]]) -> None:
    """As write(); rows that the database refuses are dropped alone."""
    try:
        write(rows)
    except (DataError, IntegrityError):
        for row in rows:
            _write_or_drop(row)


def _write_or_drop(row: tuple[Any, ...]) -> None:
    try:
        write([row])
    except (DataError, IntegrityError) as error:
        logger.error(  # noqa: TRY400 - the error's text holds the row's values
            "task_run_lost", task_id=row[0], error=type(error).__name__
        )


def write(rows: Sequence[tuple[Any, ...]]) -> None:
    """Writes the rows with one COPY. Raises DatabaseError."""
    table = connection.ops.quote_name(TaskRun._meta.db_table)  # noqa: SLF001
    with connection.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(_COLUMNS)}) FROM STDIN"
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
