"""The messages of a page as HTML, where nothing in them will move by itself: kept with the page."""

from __future__ import annotations

from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from conversations.ai import offers
from conversations.shown import ShownConversation, ShownMessage


def html(conversation: ShownConversation, rows: Iterable[ShownMessage]) -> SafeString:
    """What the template makes of `rows`; empty where it depends on more than those."""
    found = tuple(rows)
    if not all(row.is_settled for row in found):
        return SafeString()
    context = {"conversation": conversation, "rows": found, "several_models": several_models()}
    return render_to_string("conversations/messages.html#each", context)


def several_models() -> bool:
    """Whether there is another model to ask."""
    return len(offers.offers()) > 1
