"""Who may follow a conversation: one look at the session and the row, then the connection goes back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections, connections, reset_queries
from django.http import HttpRequest, parse_cookie

from conversations.models import Conversation

# Two, so that a storm of reconnects leaves the pool's other connections to the pages.
_threads = ThreadPoolExecutor(2, thread_name_prefix="stream-access")


def session_key(cookie_header: str) -> str | None:
    """The key of the session that the cookies name."""
    return parse_cookie(cookie_header).get(settings.SESSION_COOKIE_NAME)


async def follower(key: str, conversation_id: UUID) -> int | None:
    """The id of the active user whose session has that key, where the conversation is theirs.

    Raises django.db.Error where that cannot be known now.
    """
    loop = asyncio.get_running_loop()
    here = copy_context()  # so that what it asks belongs to the stream's trace
    return await loop.run_in_executor(_threads, here.run, _owner, key, conversation_id)


def _owner(key: str, conversation_id: UUID) -> int | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    close_old_connections()
    try:
        user = get_user(request)  # also checks the password's hash, and is_active
        if user.is_authenticated and _owns(user.pk, conversation_id):
            return int(user.pk)
    finally:
        reset_queries()
        connections.close_all()
    return None


def _owns(user_id: int, conversation_id: UUID) -> bool:
    return Conversation.objects.filter(pk=conversation_id, user_id=user_id).exists()
