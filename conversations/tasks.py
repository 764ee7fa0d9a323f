"""The chat's tasks: shallow bodies, ids in, safe to run twice."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from conversations import replies
from conversations.models import Reply, Status
from performance.queues import Level, Schedule, task

# A reply that nobody has begun for this long is enqueued again; the claim makes a second job harmless.
OVERDUE = timedelta(seconds=10)
SWEEP = 5  # seconds
BATCH = 1000


# durable="caller": the pending row is in PostgreSQL, and sweep_replies enqueues what is lost.
@task(level=Level.HIGH, durable="caller")
async def write_reply(*, reply_id: int, attempt: int) -> None:
    """Runs one attempt at a reply; does nothing where that attempt was claimed before."""
    await replies.write(reply_id, attempt)


def enqueue_reply(reply: Reply) -> None:
    """Asks a worker for the next attempt once the transaction has committed."""
    write_reply.enqueue(reply_id=reply.pk, attempt=reply.attempt + 1)


@task(level=Level.URGENT, schedule=Schedule(every=SWEEP))
def sweep_replies() -> int:
    """Enqueues what no worker knows of, and hands on what a dead worker left. Returns how many."""
    silent = Reply.objects.silent()
    silent.filter(stop_requested=True).update(status=Status.STOPPED, finished_at=timezone.now())
    silent.update(status=Status.PENDING, pending_since=timezone.now(), enqueued_at=None)
    overdue = list(Reply.objects.overdue(OVERDUE).order_by("pending_since")[:BATCH])
    for reply in overdue:
        enqueue_reply(reply)
    Reply.objects.filter(pk__in=[reply.pk for reply in overdue]).update(enqueued_at=timezone.now())
    return len(overdue)
