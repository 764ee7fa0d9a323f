"""Filters of the chat's templates."""

from __future__ import annotations

import json

from django import template

from conversations.shown import ShownReply

register = template.Library()


@register.filter
def words(name: str) -> str:
    """A name of code as people read it: date_and_time is "date and time"."""
    return name.replace("_", " ")


@register.filter
def pretty_json(text: str) -> str:
    """JSON set out over lines; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


@register.filter
def seconds(reply: ShownReply) -> str:
    """How long the newest attempt took; "" where it has not begun and ended."""
    if reply.started_at is None or reply.finished_at is None:
        return ""
    return f"{max(0.0, (reply.finished_at - reply.started_at).total_seconds()):.1f} s"
