"""The chat's tasks: shallow bodies, ids in, safe to run twice."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import F
from django.tasks import task
from django.utils import timezone
from redis.exceptions import RedisError

from conversations import replies
from conversations.models import Reply, Status
from performance.queues import Level

logger = structlog.get_logger(__name__)

# A reply that nobody has begun for this long is enqueued again; the claim makes a second job harmless.
OVERDUE = timedelta(seconds=10)


@task(queue_name=Level.HIGH)
async def write_reply(*, reply_id: int, attempt: int) -> None:
    """Runs one attempt at a reply; does nothing where that attempt was claimed before."""
    await replies.write(reply_id, attempt)


def enqueue_reply(reply: Reply) -> None:
    """Asks a worker for the next attempt, on commit. The row is the truth: what is lost is swept."""
    try:
        write_reply.enqueue(reply_id=reply.pk, attempt=reply.attempt + 1)
    except RedisError as error:
        logger.warning("enqueue_failed", reply=reply.pk, error=type(error).__name__)


@task(queue_name=Level.LOW)
def sweep_replies() -> int:
    """Enqueues what no worker knows of, and hands on what a dead worker left. Returns how many."""
    silent = Reply.objects.silent()
    silent.filter(stop_requested=True).update(status=Status.STOPPED, finished_at=timezone.now())
    silent.update(status=Status.PENDING, pending_since=F("beat_at"))
    overdue = list(Reply.objects.overdue(OVERDUE)[:1000])
    for reply in overdue:
        enqueue_reply(reply)
    return len(overdue)
