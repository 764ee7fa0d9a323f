"""Tells Django's task signals about runs; a receiver that raises is logged and harms nothing."""

from __future__ import annotations

import structlog
from django.dispatch import Signal

from performance.queues.worker.run import Run

logger = structlog.get_logger(__name__)


def tell(signal: Signal, run: Run) -> None:
    """Sends `signal` with the run's result, if it has one."""
    if run.task is None or run.result is None:
        return
    sender = type(run.task.get_backend())
    for receiver, answer in signal.send_robust(sender, task_result=run.result):
        if isinstance(answer, Exception):
            logger.error(
                "task_receiver_failed",
                receiver=getattr(receiver, "__qualname__", repr(receiver)),
                task=run.name,
                task_id=run.id,
                exc_info=answer,
            )
