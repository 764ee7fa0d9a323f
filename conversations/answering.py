"""What a user does to an answer: stop, ask again, continue, allow a tool. Each is safe to repeat."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations import exchanges, streams, windows
from conversations.ai import offers
from conversations.models import (
    LIVE,
    Branch,
    Message,
    Permission,
    Reply,
    Status,
    ToolRun,
)
from conversations.tasks import enqueue_reply

REFUSED = gettext_noop("You did not allow this.")
UNFINISHED = Q(status__in=[Status.FAILED, Status.STOPPED])


class Outdated(Exception):
    """The call that the user decided about is not the one that waits for a decision."""


def stop(reply: Reply) -> None:
    """Ends a reply; what is written of it stays. Does nothing to one that has ended."""
    with transaction.atomic():
        now = Reply.objects.select_for_update().get(pk=reply.pk)
        was = now.status
        if was in {Status.PENDING, Status.ASKING}:
            now.status, now.finished_at = Status.STOPPED, timezone.now()
        now.stop_requested = now.stop_requested or was in LIVE
        # The row's signal makes the pages forget; those that watch a running one hear it from the worker.
        now.save(update_fields=["status", "finished_at", "stop_requested"])
        asked = reply.tool_runs.filter(permission=Permission.ASKED)
        asked.update(permission=Permission.REFUSED, error=REFUSED, decided_at=timezone.now())
        if was in {Status.PENDING, Status.ASKING}:
            exchanges.release(reply)
            exchanges.turned(reply)
    if was == Status.RUNNING:
        streams.request_stop(now.message_id, now.attempt)


def again(reply: Reply, model: str = "") -> Message:
    """Asks again, past the cache; returns the message where the answer will stand.

    `model` is the key of an offer, in place of the conversation's own. One that ended without a word is made anew in its place. Any other stays: another version is
    written on a branch of its own. While one is being written, it is that one.
    """
    old = reply.message
    with transaction.atomic():
        exchanges.lock(old.conversation)
        wanted = offers.parts(model) if model else {}
        if _restart(reply, Q(message__text=""), continues=False, **wanted):
            return old
        versions = Q(message__branch__in=windows.versions(old) or [old.branch_id])
        live = Reply.objects.live().filter(versions, message__place=old.place)
        if going := live.select_related("message").first():
            return going.message
        return exchanges.answer(Branch.objects.forked(before=old), fresh=True, model=model)


def go_on(reply: Reply) -> bool:
    """Continues an answer that was stopped or failed, from where it is. False for any other."""
    with transaction.atomic():
        exchanges.lock(reply.message.conversation)
        return _restart(reply, ~Q(message__text="") & ~Q(error="too_long"), continues=True)


def _restart(reply: Reply, having: Q, *, continues: bool, **changes: str) -> bool:
    unfinished = Reply.objects.filter(UNFINISHED, having, pk=reply.pk).values("pk")
    restarted = Reply.objects.filter(pk__in=unfinished).update(
        status=Status.PENDING,
        pending_since=timezone.now(),
        enqueued_at=timezone.now(),
        stop_requested=False,
        continues=continues,
        turns="",
        fresh=True,
        cached_at=None,
        saved_tokens=None,
        saved_cost=None,
        error="",
        explanation="",
        correlation_id=exchanges.correlation_id(),
        **changes,
    )
    if restarted:
        reply.refresh_from_db()
        exchanges.reserve(reply, reply.message.conversation)
        enqueue_reply(reply)
        exchanges.turned(reply)
    return bool(restarted)


def decide(run: ToolRun, seal: str, *, allow: bool) -> None:
    """Allows or refuses exactly the call that `seal` stands for; after the last one the answer goes on.

    Raises Outdated where that call does not wait for a decision, quotas.Exceeded where the answer may
    not go on: the decision is then still to be made.
    """
    with transaction.atomic():
        reply = Reply.objects.select_for_update().get(pk=run.reply_id, status=Status.ASKING)
        given = Permission.GIVEN if allow else Permission.REFUSED
        decided = {
            "permission": given,
            "decided_at": timezone.now(),
            "error": "" if allow else REFUSED,
        }
        asked = reply.tool_runs.filter(permission=Permission.ASKED)
        if run.seal != seal or not asked.filter(pk=run.pk, arguments=run.arguments).update(
            **decided
        ):
            raise Outdated
        if not asked.exists():
            reply.status = Status.PENDING
            reply.pending_since = reply.enqueued_at = timezone.now()
            reply.save(update_fields=["status", "pending_since", "enqueued_at"])
            exchanges.reserve(reply, reply.message.conversation, counted=True)
            enqueue_reply(reply)
        exchanges.turned(reply)
