"""Durable tasks: their row in PostgreSQL is the truth until Redis has the job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import redis
import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from performance.models import TaskOutbox
from performance.queues import submission
from performance.queues.submission import Submission

logger = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=5)
"""Younger rows may still be on their way by themselves."""
AT_ONCE = 500


def keep(task: str, jobs: Sequence[Submission]) -> None:
    """Writes the rows, in the transaction that is open."""
    TaskOutbox.objects.bulk_create(
        TaskOutbox(
            id=job.id, task=task, job={"level": job.level, "data": job.data, "entry": job.entry}
        )
        for job in jobs
    )


def release(jobs: Sequence[Submission]) -> None:
    """Redis has them. A row that cannot be deleted is sent again, which changes nothing."""
    try:
        TaskOutbox.objects.filter(id__in=[job.id for job in jobs]).delete()
    except DatabaseError as error:
        logger.warning("outbox_not_released", jobs=len(jobs), error=type(error).__name__)


def sweep(client: redis.Redis) -> int:
    """Sends what is still there, oldest first; answers how many. Several may sweep at once.

    Raises EnqueueFailed and QueueFull; what was not sent stays for the next sweep.
    """
    sent = 0
    while True:
        with transaction.atomic():
            rows = list(
                TaskOutbox.objects.select_for_update(skip_locked=True)
                .filter(created_at__lt=timezone.now() - PATIENCE)
                .order_by("created_at")[:AT_ONCE]
            )
            submission.send(client, [_job(row) for row in rows], bounded=False)
            TaskOutbox.objects.filter(id__in=[row.id for row in rows]).delete()
        sent += len(rows)
        if len(rows) < AT_ONCE:
            return sent


def _job(row: TaskOutbox) -> Submission:
    return Submission(
        id=row.id, level=row.job["level"], data=row.job["data"], entry=row.job["entry"]
    )
