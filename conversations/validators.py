"""Names of pages that are known before anything of a page is read: what RFC 9110 calls validators.

A name changes with all that a reader can see on the page. What others may see never shares a name: it
holds the user, and the number under which the user's cached pages are kept, which changes with every
write to their conversations. None is no name: the page is made anew and not kept.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.messages import get_messages
from django.http import HttpRequest

from conversations import edition
from conversations.models import Preferences
from conversations.request import AuthenticatedHttpRequest, wants_fragment
from performance.cache import conversation_cache, digest

CHOICES = tuple(field.attname for field in Preferences._meta.concrete_fields)  # noqa: SLF001


def page(request: AuthenticatedHttpRequest) -> str | None:
    """A page or fragment that shows anything of the user's conversations, such as their list.

    None for who wants none of it kept.
    """
    if not request.preferences.use_caches:
        return None
    return _name(request, conversation_cache.version(request.user.pk))


def part(request: AuthenticatedHttpRequest, conversation_id: UUID) -> str | None:
    """A fragment that shows one conversation and nothing of the others. None as for `page`."""
    if not request.preferences.use_caches:
        return None
    return _name(request, conversation_cache.version(request.user.pk, conversation_id))


def public(request: HttpRequest) -> str | None:
    """A page that shows nothing of any conversation."""
    return _name(request, "public")


def anybody(request: HttpRequest, address: str = "") -> str | None:
    """A page that shows of its reader whether they are signed in, how they want to see it, and no more.

    None where it was asked for with a query: of those there would be no end. A page that is the same
    wherever it is met says its `address`.
    """
    if (request.GET and not address) or request.method != "GET" or len(get_messages(request)):
        return None
    chosen = request.preferences  # type: ignore[attr-defined]
    return digest(
        edition.name(),
        address or request.path,
        request.user.is_authenticated,
        chosen.theme,
        chosen.time_zone,
    )


def _name(request: HttpRequest, version: str | None) -> str | None:
    # What is said once must be said now, and not again from what the browser keeps.
    if version is None or len(get_messages(request)):
        return None
    return digest(
        version,
        edition.name(),
        request.get_full_path(),
        wants_fragment(request),
        _reader(request),
    )


def _reader(request: Any) -> list[Any]:
    """What the frame of a page shows of who reads it, and how they want to see it."""
    user, chosen = request.user, request.preferences
    return [
        user.pk,
        user.get_username(),
        user.is_staff,
        *(getattr(chosen, name) for name in CHOICES),
    ]
