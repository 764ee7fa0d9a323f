"""Who may follow a conversation: one look at the session and the row, then the connection goes back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.db import Error, close_old_connections, connections
from django.http import HttpRequest, parse_cookie

from conversations.models import Conversation

# Two, so that a storm of reconnects leaves the pool's other connections to the pages.
_threads = ThreadPoolExecutor(2, thread_name_prefix="stream-access")


async def may_follow(cookie_header: str, conversation_id: UUID) -> bool:
    """True where the cookie's session belongs to an active user who owns the conversation."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, _owns, cookie_header, conversation_id)


def _owns(cookie_header: str, conversation_id: UUID) -> bool:
    try:
        session_key = parse_cookie(cookie_header)[settings.SESSION_COOKIE_NAME]
    except KeyError:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    close_old_connections()
    try:
        user = get_user(request)  # also checks the password's hash, and is_active
        return (
            user.is_authenticated
            and Conversation.objects.filter(pk=conversation_id, user_id=user.pk).exists()
        )
    except Error:
        return False
    finally:
        connections.close_all()
