"""The chat's tasks: shallow bodies, ids in, safe to run twice."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations import (
    attachments,
    deleting,
    erasing,
    importing,
    quotas,
    replies,
    streams,
    support_mail,
    titles,
)
from conversations.levels import level_of
from conversations.models import AccountDeletion, Attachment, Import, Reply, ShareLink, Status
from performance.cache import conversation_cache
from performance.queues import Level, Retry, Schedule, task

# A reply that nobody has begun for this long is enqueued again; the claim makes a second job harmless.
OVERDUE = timedelta(seconds=10)
SWEEP = 5  # seconds
EXPIRE = 600
BATCH = 1000
UNSENT = timedelta(days=1)  # a file that is in no message after this long is removed
ATTEMPTS = 5  # that a worker may die of before the reply is given up
FIRST_ANSWER = 2  # its place
LOST = gettext_noop(
    "The assistant was interrupted several times. Your message is saved; you can try again."
)


# durable="caller": the pending row is in PostgreSQL, and sweep_replies enqueues what is lost.
@task(level=Level.HIGH, durable="caller")
async def write_reply(*, reply_id: int, attempt: int) -> None:
    """Runs one attempt at a reply; does nothing where that attempt was claimed before."""
    done = await replies.write(reply_id, attempt)
    if done and done.message.place == FIRST_ANSWER:
        await name_conversation.aenqueue(message_id=done.message.pk)


@task(level=Level.LOW)
async def name_conversation(*, message_id: int) -> None:
    """Names a conversation after its first answer, unless somebody has given it a name."""
    await titles.suggest(message_id)


def enqueue_reply(reply: Reply) -> None:
    """Asks a worker for the next attempt once the transaction has committed.

    Where the queue is full or away the page says so, and the sweeper asks again.
    """
    result = _enqueue(reply)
    transaction.on_commit(partial(_note_if_held_up, reply, result))


def _enqueue(reply: Reply) -> Any:
    task = write_reply.using(queue_name=level_of(reply).value)
    return task.enqueue(reply_id=reply.pk, attempt=reply.attempt + 1)


def _note_if_held_up(reply: Reply, result: Any) -> None:
    if result.enqueued_at is None:
        Reply.objects.filter(pk=reply.pk, status=Status.PENDING).update(enqueued_at=None)
        _forget(reply)


def _forget(reply: Reply) -> None:
    conversation = reply.message.conversation
    conversation_cache.forget(conversation.user_id, conversation.pk)


@task(level=Level.LOW, schedule=Schedule(every=EXPIRE))
def delete_temporary() -> int:
    """Deletes temporary conversations TEMPORARY_HOURS after their last message. Returns how many."""
    return deleting.delete_expired()


@task(level=Level.LOW, schedule=Schedule(cron="20 3 * * *"))
def prune_share_links() -> int:
    """Deletes share links SHARING_ENDED_DAYS after their end. Returns how many."""
    before = timezone.now() - timedelta(days=settings.SHARING_ENDED_DAYS)
    ended = ShareLink.objects.ended(before)
    count = 0
    while some := list(ended.values_list("pk", flat=True)[:BATCH]):
        count += ShareLink.objects.filter(pk__in=some).delete()[0]
    return count


@task(level=Level.URGENT, schedule=Schedule(every=SWEEP))
def sweep_replies() -> int:
    """Enqueues what no worker knows of, and hands on what a dead worker left. Returns how many."""
    for reply in Reply.objects.silent().select_related("message__conversation")[:BATCH]:
        _hand_on(reply)
    overdue = Reply.objects.overdue(OVERDUE).select_related("message__conversation__user")
    if settings.PRIORITY_LEVEL and settings.PRIORITY_GROUP:
        overdue = overdue.prefetch_related("message__conversation__user__groups")
    oldest = overdue.order_by("pending_since")[:BATCH]
    # Once the queue takes no more there is no use in asking for the others.
    taken = list(takewhile(lambda reply: _enqueue(reply).enqueued_at is not None, oldest))
    Reply.objects.filter(pk__in=[reply.pk for reply in taken]).update(enqueued_at=timezone.now())
    for reply in taken:
        if reply.is_held_up:
            _forget(reply)
    streams.keep_waiting(Reply.objects.waiting(streams.MOST_WAITING))
    return len(taken)


def _hand_on(reply: Reply) -> None:
    """Ends what was to stop or has failed too often; the rest waits for its next attempt."""
    now = timezone.now()
    changes: dict[str, Any] = {"status": Status.PENDING, "pending_since": now, "enqueued_at": None}
    if reply.stop_requested:
        changes = {"status": Status.STOPPED, "finished_at": now}
    elif reply.attempt >= ATTEMPTS:
        changes = {
            "status": Status.FAILED,
            "finished_at": now,
            "error": "lost",
            "explanation": LOST,
        }
    if not Reply.objects.all().write(reply.pk, reply.attempt, **changes):
        return
    if changes["status"] != Status.PENDING:
        quotas.settle(reply.message.conversation.user_id, reply.pk)
    _forget(reply)
    streams.announce(reply.message.conversation_id, "state", m=reply.message_id)


@task(level=Level.HIGH, durable=True, retry=Retry(times=8, backoff=10), about="access {access_id}")
def tell_of_broken_glass(*, access_id: int) -> None:
    """Mails the user whose conversation staff have opened without asking."""
    support_mail.tell_of_broken_glass(access_id)


# Shown as "waiting" until it runs, and enqueued again by the sweeper below: a lost job costs a minute.
@task(level=Level.NORMAL, durable="caller", timeout=900)
def read_attachment(*, attachment_id: str) -> None:
    """Reads an uploaded file; does nothing where it has been read or another worker does."""
    attachment = attachments.read(UUID(attachment_id))
    if attachment is not None:
        _tell(attachment)


def enqueue_reading(attachment: Attachment) -> None:
    """Once the transaction has committed."""
    read_attachment.enqueue(attachment_id=str(attachment.pk))


def _tell(attachment: Attachment) -> None:
    """The pages that show its messages."""
    if attachment.conversation_id is None:  # sent while it was being read?
        now = Attachment.objects.filter(pk=attachment.pk)
        attachment.conversation_id = now.values_list("conversation", flat=True).first()
    if attachment.conversation_id is None:
        return
    conversation_cache.forget(attachment.user_id, attachment.conversation_id)
    for number in attachment.messages.values_list("pk", flat=True):
        streams.announce(attachment.conversation_id, "state", m=number)


@task(level=Level.LOW, durable="caller", timeout=3600)
def read_import(*, import_id: int) -> None:
    """Reads an export, of this site or another service; does nothing where it has been read or another worker does."""
    importing.read(import_id, enqueue_reading)


def enqueue_import(found: Import) -> None:
    """Once the transaction has committed."""
    read_import.enqueue(import_id=found.pk)


@task(level=Level.LOW, schedule=Schedule(every=60))
def sweep_imports() -> int:
    """Has imports read that no worker took, or whose worker is gone, and deletes old reports. Returns how many."""
    left = list(Import.objects.left()[:BATCH])
    Import.objects.left().wait_anew([found.pk for found in left])
    for found in left:
        enqueue_import(found)
    past = list(Import.objects.past().values_list("pk", flat=True)[:BATCH])
    Import.objects.filter(pk__in=past).delete()
    return len(left)


@task(level=Level.LOW, schedule=Schedule(every=60))
def sweep_attachments() -> int:
    """Has files read that no worker took, and removes those that nobody sent. Returns how many."""
    patience = attachments.limits().patience
    left = list(Attachment.objects.left(patience)[:BATCH])
    Attachment.objects.left(patience).wait_anew([one.pk for one in left])
    for attachment in left:
        enqueue_reading(attachment)
    forgotten = Attachment.objects.forgotten(UNSENT)[:BATCH]
    return len(left) + sum(bool(attachment.delete()) for attachment in forgotten)


@task(level=Level.LOW, schedule=Schedule(cron="40 3 * * *"))
def sweep_stored_files() -> int:
    """Removes stored files that no row names: what a crash between the two has left. Returns how many."""
    return attachments.remove_orphans(UNSENT)


# durable="caller": the row of the deletion is in PostgreSQL, and the sweeper below enqueues what is lost.
@task(level=Level.LOW, durable="caller", about="deletion {deletion_id}")
def erase_account(*, deletion_id: int) -> None:
    """Erases a part of a closed account, and goes on in another job where there is more."""
    if erasing.run(deletion_id):
        later = timezone.now() + timedelta(seconds=1)
        erase_account.using(run_after=later).enqueue(deletion_id=deletion_id)


@task(level=Level.LOW, schedule=Schedule(every=60))
def sweep_deletions() -> int:
    """Goes on with what a dead worker or a lost job left. Returns how many."""
    idle = list(AccountDeletion.objects.idle().values_list("pk", flat=True)[:BATCH])
    for pk in idle:
        erase_account.enqueue(deletion_id=pk)
    return len(idle)
