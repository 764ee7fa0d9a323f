"""The public door to chat backends: `chat_backends["default"].stream(request)`."""

from __future__ import annotations

from typing import Any

from django.utils.connection import BaseConnectionHandler
from django.utils.module_loading import import_string

from conversations.ai.base import ChatBackend


class ChatBackendHandler(BaseConnectionHandler):  # type: ignore[type-arg]
    """Builds each alias of settings.CHAT_BACKENDS once per thread, like `caches` does."""

    settings_name = "CHAT_BACKENDS"

    def create_connection(self, alias: str) -> ChatBackend:
        entry: dict[str, Any] = self.settings[alias]
        backend: ChatBackend = import_string(entry["BACKEND"])(alias, entry.get("OPTIONS", {}))
        return backend


chat_backends = ChatBackendHandler()

__all__ = ["ChatBackend", "chat_backends"]
