"""Closes an account: nobody is signed in with it any more, no link of it opens, and a task erases it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from conversations import streams
from conversations.models import AccountDeletion, Reply, Status
from conversations.tasks import erase_account

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class LastAdministrator(Exception):
    """Without this account nobody could manage the site."""


def is_last_administrator(user: User) -> bool:
    others = get_user_model().objects.filter(is_superuser=True, is_active=True)
    return user.is_superuser and user.is_active and not others.exclude(pk=user.pk).exists()


def leave(user: User, by: User) -> AccountDeletion:
    """Closes the account at once and for good, and has it erased. Raises LastAdministrator."""
    with transaction.atomic():
        administrators = get_user_model().objects.filter(is_superuser=True).order_by("pk")
        list(administrators.select_for_update())  # two who leave at once take turns
        if is_last_administrator(user):
            raise LastAdministrator
        user.is_active = False
        user.set_unusable_password()  # ends every session, as their hash is another one
        user.save(update_fields=["is_active", "password"])
        _stop_answers(user)
        count = user.conversations.count()
        deletion, _ = AccountDeletion.objects.get_or_create(
            user_number=user.pk, defaults={"by_number": by.pk, "total": count, "left": count}
        )
        erase_account.enqueue(deletion_id=deletion.pk)
    return deletion


def _stop_answers(user: User) -> None:
    own = Reply.objects.filter(message__conversation__user=user)
    waiting = own.filter(status__in=[Status.PENDING, Status.ASKING])
    waiting.update(status=Status.STOPPED, finished_at=timezone.now())
    running = list(own.filter(status=Status.RUNNING).values_list("message", "attempt"))
    own.filter(status=Status.RUNNING).update(stop_requested=True)
    for message_id, attempt in running:
        transaction.on_commit(partial(streams.request_stop, message_id, attempt))
