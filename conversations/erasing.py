"""Erases a closed account: what its user wrote, was answered, sent and kept, in all places where it lies.

It goes in batches, each a transaction of its own, and can begin again after any of them: what is left is
found anew. Memory does not grow with the account.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone

from conversations import quotas, streams
from conversations.models import AccountDeletion, Conversation, Message, Reply
from performance.cache import purge_user

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

logger = structlog.get_logger(__name__)

CONVERSATIONS = 50  # at a time
MESSAGES = 500  # in a transaction
SESSIONS = 1000  # read at a time
SECONDS = 60.0  # of one run; the next one goes on


def run(deletion_id: int, seconds: float = SECONDS) -> bool:
    """Works for so long at most. True where there is more to do, and nobody else is at it."""
    if not AccountDeletion.objects.claim(deletion_id):
        return False
    deletion = AccountDeletion.objects.get(pk=deletion_id)
    user = get_user_model().objects.filter(pk=deletion.user_number).first()
    if user is not None:
        if _is_being_answered(user) or not _erase_conversations(user, deletion, seconds):
            AccountDeletion.objects.filter(pk=deletion_id).update(beat_at=None)
            return True
        _erase_sessions(deletion)
        _erase_log_entries(user)
        with transaction.atomic():
            user.delete()
    _forget(deletion)
    deletion.beat(left=0, finished_at=timezone.now())
    logger.info("account_erased", deletion=deletion_id, conversations=deletion.total)
    return False


def _is_being_answered(user: User) -> bool:
    """A worker that still writes would bring back what is erased; it stops, or falls silent."""
    running = Reply.objects.filter(message__conversation__user=user, status="running")
    return running.exclude(pk__in=Reply.objects.silent().values("pk")).exists()


def _erase_conversations(user: User, deletion: AccountDeletion, seconds: float) -> bool:
    """False where the time is over before all are gone."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        some = list(user.conversations.order_by("pk").values_list("pk", flat=True)[:CONVERSATIONS])
        if not some:
            return True
        if not _erase_messages(some, deletion, end):
            return False
        with transaction.atomic():
            Conversation.objects.filter(pk__in=some).delete()
        for pk in some:
            streams.forget(pk)
        deletion.beat(left=user.conversations.count())
    return False


def _erase_messages(conversations: list[UUID], deletion: AccountDeletion, end: float) -> bool:
    """Before their conversations, whose own deletion would hold all of them in memory."""
    while time.monotonic() < end:
        rows = Message.objects.filter(conversation__in=conversations).order_by()
        some = Message.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:MESSAGES]))
        some.forgotten_by_caller = True
        with transaction.atomic():
            count, _ = some.delete()
        if not count:
            return True
        deletion.beat()
    return False


def _erase_sessions(deletion: AccountDeletion) -> None:
    """Those of all devices. Sessions do not say whose they are, so all are looked at."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    last = ""
    while True:
        rows: list[Session] = list(
            Session.objects.filter(session_key__gt=last).order_by("session_key")[:SESSIONS]
        )
        for row in rows:
            if row.get_decoded().get(SESSION_KEY) == str(deletion.user_number):
                store(row.session_key).delete()
        deletion.beat()
        if len(rows) < SESSIONS:
            return
        last = rows[-1].session_key


def _erase_log_entries(user: User) -> None:
    """The admin's log names users by their name, and e-mail addresses by the address."""
    addresses = EmailAddress.objects.filter(user=user).values_list("pk", flat=True)
    about = _entries(type(user), [user.pk]) | _entries(EmailAddress, list(addresses))
    LogEntry.objects.filter(about).delete()


def _entries(model: type[Model], keys: list[Any]) -> Q:
    kind = ContentType.objects.get_for_model(model)
    return Q(content_type=kind, object_id__in=list(map(str, keys)))


def _forget(deletion: AccountDeletion) -> None:
    purge_user(deletion.user_number)
    quotas.forget(deletion.user_number)
