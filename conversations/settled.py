"""The messages of a page as HTML, where nothing in them will move by itself: kept with the page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language

from conversations.models import Permission
from conversations.shown import ShownConversation, ShownMessage
from performance.cache import digest

TEMPLATES = ("conversations/messages.html", "conversations/tools.html", "conversations/speed.html", "conversations/rating.html", "conversations/spent.html", "icons.html")  # fmt: skip


def html(conversation: ShownConversation, rows: Iterable[ShownMessage]) -> SafeString:
    """What the template makes of `rows`; empty where it depends on more than those."""
    found = tuple(rows)
    if not all(map(_is_settled, found)):
        return SafeString()
    context = {"conversation": conversation, "rows": found}
    return render_to_string("conversations/messages.html#each", context)


def _is_settled(row: ShownMessage) -> bool:
    """Not being written, with no place in a queue, and without a form, which has its visitor's token."""
    reply = row.reply
    if reply is None:
        return True
    return not reply.is_open and all(run.permission != Permission.ASKED for run in reply.tool_runs)


def look(*templates: str) -> str:
    """A name for all else that the HTML depends on: templates, language, time zone."""
    names = templates or TEMPLATES
    made_of = _made_of.__wrapped__(names) if settings.DEBUG else _made_of(names)
    return f"{made_of}.{get_language()}.{get_current_timezone_name()}"


@cache
def _made_of(names: tuple[str, ...]) -> str:
    found: list[Any] = [get_template(name) for name in names]
    return digest(*(one.template.source for one in found))[:12]
