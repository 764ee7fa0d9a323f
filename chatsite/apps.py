from __future__ import annotations

from django.apps import AppConfig


class ChatsiteConfig(AppConfig):
    name = "chatsite"
