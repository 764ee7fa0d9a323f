"""System checks of CHAT_BACKENDS, so that a wrong setting is found before a user finds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from conversations.ai.base import ChatBackend
from conversations.levels import NAMES as LEVEL_SETTINGS
from performance.queues import Level


@register()
def check_chat_backends(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E001 no default; E002 a BACKEND that cannot be used; from E003 on what each backend finds."""
    backends: dict[str, dict[str, Any]] = getattr(settings, "CHAT_BACKENDS", {})
    found: list[CheckMessage] = []
    if "default" not in backends:
        found.append(Error("CHAT_BACKENDS needs an entry 'default'.", id="conversations.E001"))
    for alias, entry in backends.items():
        found += _check(alias, entry)
    return found


@register()
def check_levels(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E010: a level that there is none of."""
    return [
        Error(
            f"{name} is {value!r}; it must be one of {', '.join(Level)}.", id="conversations.E010"
        )
        for name in LEVEL_SETTINGS
        if (value := getattr(settings, name, "")) and value not in set(Level)
    ]


def _check(alias: str, entry: dict[str, Any]) -> list[CheckMessage]:
    path = entry.get("BACKEND", "")
    try:
        backend = import_string(path)
    except (ImportError, TypeError, AttributeError):
        return [_unusable(alias, f"there is no {path!r}")]
    if not (isinstance(backend, type) and issubclass(backend, ChatBackend)):
        return [_unusable(alias, f"{path!r} is not a subclass of ChatBackend")]
    made = backend(alias, entry.get("OPTIONS", {}))
    return made.check() or _check_price(made)


def _check_price(backend: ChatBackend) -> list[CheckMessage]:
    """E011: CHAT_PRICES or OPTIONS["prices"] that are no prices."""
    try:
        for model in backend.models:
            backend.price_for(model)
    except ValueError as error:
        return [Error(f"CHAT_BACKENDS[{backend.alias!r}]: {error}.", id="conversations.E011")]
    return []


def _unusable(alias: str, problem: str) -> Error:
    return Error(f"CHAT_BACKENDS[{alias!r}]: {problem}.", id="conversations.E002")
