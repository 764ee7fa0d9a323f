"""What the page's own scripts say to people, in the language of the page.

They find it in the page, as JSON: it costs no request, and a page whose script is cached changes its
language at once.
"""

from __future__ import annotations

import json
from functools import cache

from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

SITE = {
    "copy": _("Copy"),
    "copied": _("Copied"),
    "copyFailed": _("Copying failed"),
    "text": _("text"),
    "0": _("No connection. Try again when it is back: your text is kept."),
    "401": _(
        "You have been signed out. <a>Sign in</a> in another tab, reload this page, and go on: your text is kept."
    ),
    "403": _("This page has expired. Reload it and try again: your text is kept."),
    "404": _("This is gone: it may have been deleted in another tab."),
    "413": _("That is too large. Shorten it, or send it in parts."),
    "429": _("Too many requests. Wait a little and try again."),
    "503": _("The site is busy. Try again in a moment: your text is kept."),
    "error": _("Something went wrong on the server. Try again: your text is kept."),
}
CHAT = {
    "held": _("Waiting for the provider, about {seconds} s more…"),
    "ahead": _("Place {place} in the queue"),
    "waiting": _("Waiting for the assistant…"),
    "thinking": _("Thinking…"),
    "writing": _("Writing…"),
    "stopping": _("Stopping…"),
    "using": _("Using {tool}…"),
    "asking": _("Waiting for your permission."),
    "complete": _("The answer is complete."),
    "version": _("Version {number}"),
    "done": _("done"),
    "failed": _("failed"),
}
# The tools as people call them; their own names have "_" for the blanks.
TOOLS = [
    gettext_noop("calculator"),
    gettext_noop("date and time"),
    gettext_noop("rename conversation"),
    gettext_noop("search conversations"),
    gettext_noop("search help"),
    gettext_noop("text statistics"),
    gettext_noop("units"),
]


def of_site() -> str:
    """JSON for every page."""
    return _site(get_language())


def of_chat() -> str:
    """JSON for a conversation: `tools` has what each is called."""
    return _chat(get_language())


@cache
def _site(_language: str) -> str:
    return json.dumps({key: str(word) for key, word in SITE.items()}, ensure_ascii=False)


@cache
def _chat(_language: str) -> str:
    called = {name.replace(" ", "_"): gettext(name) for name in TOOLS}
    words = {key: str(word) for key, word in CHAT.items()}
    return json.dumps(words | {"tools": called}, ensure_ascii=False)
