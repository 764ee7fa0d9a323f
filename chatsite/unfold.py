"""The look of the admin."""

from __future__ import annotations

from django.urls import reverse_lazy

UNFOLD = {
    "SITE_TITLE": "chatsite",
    "SITE_HEADER": "chatsite",
    "SITE_SYMBOL": "forum",
    # Pages that belong to no model, under the site's name.
    "SITE_DROPDOWN": [
        {"icon": "manage_search", "title": "What happened", "link": reverse_lazy("admin:happened")},
        {"icon": "forum", "title": "The chat", "link": reverse_lazy("conversations:list")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
}
