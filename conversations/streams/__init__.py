"""The event stream of a conversation: a bounded Redis stream that workers write and browsers follow.

PostgreSQL holds the truth; a stream that is lost costs a reader one reload of a fragment.
"""

from __future__ import annotations

from conversations.streams.events import LIFE as EVENTS_LIFE
from conversations.streams.events import (
    announce,
    begun_at,
    forget,
    last_event_id,
    order,
    request_stop,
    rights_changed,
)
from conversations.streams.reply import ReplyStream, open_stream
from conversations.streams.waiting import MOST as MOST_WAITING
from conversations.streams.waiting import keep as keep_waiting

__all__ = [
    "EVENTS_LIFE",
    "MOST_WAITING",
    "ReplyStream",
    "announce",
    "begun_at",
    "forget",
    "keep_waiting",
    "last_event_id",
    "open_stream",
    "order",
    "request_stop",
    "rights_changed",
]
