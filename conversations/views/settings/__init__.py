"""The pages of /settings/: the overview and one page a section."""

from __future__ import annotations

from conversations.views.settings.appearance import appearance
from conversations.views.settings.assistant import assistant
from conversations.views.settings.history import history
from conversations.views.settings.keyboard import keyboard
from conversations.views.settings.language import language
from conversations.views.settings.pages import overview, section_page
from conversations.views.settings.time import time
from conversations.views.settings.usage import usage

__all__ = [
    "appearance",
    "assistant",
    "history",
    "keyboard",
    "language",
    "overview",
    "section_page",
    "time",
    "usage",
]
