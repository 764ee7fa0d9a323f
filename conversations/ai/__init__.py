"""The public door to chat backends: `chat_backends["default"].stream(request)`."""

from __future__ import annotations

from typing import Any

from asgiref.local import Local
from django.core.signals import setting_changed
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

    def forget(self) -> None:
        """Builds every alias anew at its next use: the setting has changed."""
        self.__dict__.pop("settings", None)
        self._settings = None
        self._connections = Local(self.thread_critical)


chat_backends = ChatBackendHandler()


def _setting_changed(*, setting: str, **_kwargs: Any) -> None:
    if setting == "CHAT_BACKENDS":
        chat_backends.forget()


setting_changed.connect(_setting_changed, dispatch_uid="conversations.ai")

__all__ = ["ChatBackend", "chat_backends"]
