"""The look of the admin."""

from __future__ import annotations

UNFOLD = {
    "SITE_TITLE": "chatsite",
    "SITE_HEADER": "chatsite",
    "SITE_SYMBOL": "forum",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
}
