"""The keys of the pages, as the help sheet lists them. What each does stands at its element: `data-key`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

COOKIE = "shortcuts"  # "off" turns them off in this browser, whoever is signed in

type Key = tuple[tuple[StrOrPromise, ...], StrOrPromise]  # any of these keys, and what it does

EVERYWHERE: tuple[Key, ...] = (
    (("?",), _("Show this list")),
    (("n",), _("Begin a new conversation")),
    (("/",), _("Search your messages")),
    ((pgettext_lazy("key", "Esc"),), _("Close what is open, or leave the box")),
)
CONVERSATION: tuple[Key, ...] = (
    (("c",), _("Go to the box")),
    (("j",), _("Go to the next message")),
    (("k",), _("Go to the previous message")),
    (("l",), _("Go to the newest message")),
    (("s",), _("Stop the answer")),
    (("f",), _("Find in this conversation")),
    (("t",), _("Rename or file the conversation")),
)
MESSAGE: tuple[Key, ...] = (
    (("y",), _("Copy the answer")),
    (("r",), _("Ask anew")),
    (("e",), _("Edit the question")),
    (("[", "]"), _("Show the previous or the next version")),
)
BOX: tuple[Key, ...] = (
    ((pgettext_lazy("key", "Enter"),), _("Send")),
    ((pgettext_lazy("key", "Shift+Enter"),), _("Begin a new line")),
)
GROUPS: tuple[tuple[StrOrPromise, tuple[Key, ...]], ...] = (
    (_("On every page"), EVERYWHERE),
    (_("In a conversation"), CONVERSATION),
    (_("At the message that has the focus, or else the newest"), MESSAGE),
    (_("In the box"), BOX),
)
