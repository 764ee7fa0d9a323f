"""Who is asking: the row of the signed-in user, read through the cache where a page is only shown.

The cached row is believed for at most a minute, for GET and HEAD alone, and only where

- the session's hash is that of the row's password, so a session ended by a new password stays ended;
- the user is active and no staff: whoever may see more than their own is looked up every time.

It is forgotten when the user is saved or deleted. QuerySet.update() sends no signal: what that
changes (say is_active) is seen by pages that show within the minute, and by all others at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import middleware
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from performance.cache import remember

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

SECONDS = 60
READ_ANEW = ("/accounts/", "/admin/")  # pages that change accounts, some of them by GET


class VisitorMiddleware(middleware.AuthenticationMiddleware):
    """Django's own, with `request.user` from the cache where that will do."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if request.method in ("GET", "HEAD") and not request.path.startswith(READ_ANEW):
            request.user = SimpleLazyObject(lambda: _visitor(request))  # type: ignore[assignment]


def _visitor(request: HttpRequest) -> User | AnonymousUser:
    return _remembered(request) or middleware.get_user(request)


def _remembered(request: HttpRequest) -> User | None:
    session = request.session
    pk, backend = session.get(auth.SESSION_KEY), session.get(auth.BACKEND_SESSION_KEY)
    if pk is None or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    found = remember(
        _key(pk), lambda: User.objects.filter(pk=pk).first(), SECONDS,
        stale=0, stale_if_error=0, negative_ttl=0,
    )  # fmt: skip
    return found if isinstance(found, User) and _may_be_believed(found, session) else None


def _may_be_believed(user: User, session: Any) -> bool:
    signed = str(session.get(auth.HASH_SESSION_KEY, ""))
    plain = user.is_active and not user.is_staff and not user.is_superuser
    return plain and constant_time_compare(signed, user.get_session_auth_hash())


@receiver([post_save, post_delete], sender=User)
def forget(instance: User, **_kwargs: Any) -> None:
    """At once, for this transaction, and when it commits, for what others have read meanwhile."""
    key = _key(instance.pk)
    cache.delete(key)
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: cache.delete(key), robust=True)


def _key(pk: object) -> str:
    return f"visitor:{pk}"
