"""Who is asking: the row of the signed-in user, read through the cache where a page is only shown.

With it come the user's preferences, for every request: `request.preferences`. They decide how a page
looks and nothing about who may see it, so they are believed of staff and of a POST as well.

The cached row is believed for at most a minute, for GET and HEAD alone, and only where

- the session's hash is that of the row's password, so a session ended by a new password stays ended;
- the user is active and no staff: whoever may see more than their own is looked up every time.

It is forgotten when the user is saved or deleted. QuerySet.update() sends no signal: what that
changes (say is_active) is seen by pages that show within the minute, and by all others at once.
The hash of the password stays in the database: what is cached is the row without it, and the hash
that the user's sessions hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import middleware
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from conversations.models import Preferences, Theme
from performance.cache import register, remember

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

SECONDS = 60
SIGNED_OUT = "_visitor_signed_out"
READ_ANEW = ("/accounts/", "/admin/")  # pages that change accounts, some of them by GET


@register
@dataclass(frozen=True, slots=True)
class Visitor:
    """A user without `password` (reading it asks the database), and what a session must be signed with."""

    user: User
    session_hash: str
    preferences: Preferences

    @classmethod
    def find(cls, pk: str) -> Visitor | None:
        user = User.objects.select_related("preferences").filter(pk=pk).first()
        if user is None:
            return None
        session_hash = user.get_session_auth_hash()
        del user.password
        preferences = getattr(user, "preferences", None) or Preferences(user_id=user.pk)
        return cls(user, session_hash, preferences)

    def may_be_believed(self, session: Any) -> bool:
        signed = str(session.get(auth.HASH_SESSION_KEY, ""))
        plain = self.user.is_active and not self.user.is_staff and not self.user.is_superuser
        return plain and constant_time_compare(signed, self.session_hash)


class VisitorMiddleware(middleware.AuthenticationMiddleware):
    """Django's own, with `request.user` from the cache where that will do, and `request.preferences`."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.preferences = SimpleLazyObject(lambda: _preferences(request))  # type: ignore[attr-defined]
        if request.method in ("GET", "HEAD") and not request.path.startswith(READ_ANEW):
            request.user = SimpleLazyObject(lambda: _visitor(request))  # type: ignore[assignment]

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if getattr(request, SIGNED_OUT, False):
            response.headers["Clear-Site-Data"] = '"cache"'
        return response


def _visitor(request: HttpRequest) -> User | AnonymousUser:
    found = _found(request)
    believed = found is not None and found.may_be_believed(request.session)
    return found.user if found and believed else middleware.get_user(request)


def _preferences(request: HttpRequest) -> Preferences:
    """Those of the user who is signed in; of anybody else, what the cookie says."""
    found = _found(request) if request.user.is_authenticated else None
    if found is not None:
        return found.preferences
    theme = request.COOKIES.get("theme")
    return Preferences(theme=theme if theme in Theme.values else "")


def _found(request: HttpRequest) -> Visitor | None:
    """What the cache, or else the database, has of the user whom the session names: asked once a request."""
    kept: dict[str, Visitor | None] = request.__dict__.setdefault("_visitor", {})
    pk = request.session.get(auth.SESSION_KEY)
    backend = request.session.get(auth.BACKEND_SESSION_KEY)
    if pk is None or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    if pk not in kept:
        found = remember(
            _key(pk), lambda: Visitor.find(pk), SECONDS, stale=0, stale_if_error=0, negative_ttl=0
        )
        kept[pk] = found if isinstance(found, Visitor) else None
    return kept[pk]


@receiver(user_logged_out)
def have_pages_forgotten(request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Browsers keep what they have read for the next visit: after a sign-out, Back must not show it."""
    if request is not None:
        setattr(request, SIGNED_OUT, True)


@receiver([post_save, post_delete], sender=User)
@receiver([post_save, post_delete], sender=Preferences)
def forget(instance: User | Preferences, **_kwargs: Any) -> None:
    """At once, for this transaction, and when it commits, for what others have read meanwhile."""
    key = _key(instance.pk)  # the preferences have their user's
    cache.delete(key)
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: cache.delete(key), robust=True)


def _key(pk: object) -> str:
    return f"visitor:{pk}"
