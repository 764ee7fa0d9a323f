"""Tells Django's task signals about runs; a receiver that raises is logged and harms nothing."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import connections
from django.dispatch import Signal

from performance.queues.signals import task_parked
from performance.queues.worker.run import Run

logger = structlog.get_logger(__name__)


def tell(signal: Signal, run: Run) -> None:
    """Sends `signal` with the run's result, if it has one."""
    if run.task is not None and run.result is not None:
        _send(signal, type(run.task.get_backend()), run, task_result=run.result)


def tell_parked(sender: type[Any], run: Run) -> None:
    """Sends task_parked; for a thread of its own, whose database connections it gives back."""
    _send(
        task_parked,
        sender,
        run,
        task=run.name,
        task_id=run.id,
        level=run.level,
        worker=run.worker,
        deliveries=run.deliveries + 1,
    )
    connections.close_all()


def _send(signal: Signal, sender: type[Any], run: Run, **arguments: Any) -> None:
    for receiver, answer in signal.send_robust(sender, **arguments):
        if isinstance(answer, Exception):
            logger.error(
                "task_receiver_failed",
                receiver=getattr(receiver, "__qualname__", repr(receiver)),
                task=run.name,
                task_id=run.id,
                exc_info=answer,
            )
