"""A thread in every process that sees to it that alerts are evaluated, whatever else has died.

Tasks evaluate them, as long as a worker and the queue server are there. When the newest evaluation is
overdue, this thread does it: so a dead worker and a dead Redis are told of by any web process.
When PostgreSQL is away nothing can be evaluated; then it says that, see `fallback`.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.core.signals import request_started
from django.db import DatabaseError, connections, reset_queries

from performance import conf
from performance.alerts import fallback
from performance.alerts.evaluation import seconds_since
from performance.queues.signals import worker_started

logger = structlog.get_logger(__name__)

PERIOD = 5.0
OVERDUE = 12.0
"""Seconds without an evaluation: two turns of the schedule were missed."""

CLOCK_STEP = -5.0
"""An age below this: the database's clock was set back. Nobody waits until it has caught up."""

_started_in: int | None = None


Work = Callable[[], None]
Database = Callable[[], str]


def watch(work: Work, database: Database) -> None:
    """Starts the thread with this process's first request, or with its worker.

    `work` evaluates and sends; it may raise. `database` says what is wrong with PostgreSQL, "" for
    nothing; it must answer in a few seconds even when PostgreSQL hangs.
    """

    def start(**_kwargs: Any) -> None:
        request_started.disconnect(dispatch_uid="performance.alerts.watchdog")
        _start(work, database)

    uid = "performance.alerts.watchdog"
    request_started.connect(start, weak=False, dispatch_uid=uid)
    worker_started.connect(start, weak=False, dispatch_uid=uid)


def _start(work: Work, database: Database) -> None:
    global _started_in
    if _started_in == os.getpid() or not conf.current().alerts.watch:
        return
    _started_in = os.getpid()
    thread = threading.Thread(
        target=_run, args=[work, database], name="alerts-watchdog", daemon=True
    )
    thread.start()


def _run(work: Work, database: Database) -> None:
    stop = threading.Event()
    while not stop.wait(PERIOD * random.uniform(0.8, 1.2)):  # noqa: S311 -- so that processes spread
        tick(work, database)


def tick(work: Work, database: Database) -> None:
    """Does `work` if it is overdue; never raises. Nothing while alerts are switched off."""
    if not conf.current().alerts.enabled:
        return
    try:
        if error := database():
            fallback.database_is_away(error)
            return
        fallback.database_answers()
        age = seconds_since()
        if age is None or not CLOCK_STEP <= age <= OVERDUE:
            work()
    except DatabaseError as error:
        fallback.database_is_away(type(error).__name__)
    except Exception:
        logger.exception("alerts_watchdog_failed")
    finally:
        reset_queries()
        connections.close_all()
