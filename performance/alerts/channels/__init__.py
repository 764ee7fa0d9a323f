"""Ways to reach people: PERFORMANCE["ALERTS"]["CHANNELS"], an alias each, like CACHES.

Their addresses and secrets live in settings alone: no page shows them and no table holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from performance import conf
from performance.alerts.channels.base import Channel, ChannelError, Message, Refused

__all__ = ["Channel", "ChannelError", "Message", "Refused", "aliases", "get", "problems"]


def aliases() -> list[str]:
    """The channels that settings name."""
    return list(conf.current().alerts.channels)


@cache
def get(alias: str) -> Channel:
    """The channel of that name. Raises ImproperlyConfigured, without any value of its options."""
    config = conf.current().alerts.channels.get(alias)
    if config is None:
        raise ImproperlyConfigured(f"PERFORMANCE['ALERTS']['CHANNELS'] has no {alias!r}.")
    try:
        kind = import_string(config["BACKEND"])
    except (KeyError, ImportError):
        where = f"PERFORMANCE['ALERTS']['CHANNELS'][{alias!r}]['BACKEND']"
        raise ImproperlyConfigured(f"{where} is no dotted path of a channel.") from None
    options: dict[str, Any] = config.get("OPTIONS", {})
    channel: Channel = kind(alias, options)
    return channel


def problems() -> Iterator[str]:
    """What is wrong with the channels of settings, a sentence each."""
    for alias in aliases():
        try:
            get(alias)
        except ImproperlyConfigured as error:
            yield str(error)


def _forget(*, setting: str, **_kwargs: Any) -> None:
    if setting == "PERFORMANCE":
        get.cache_clear()


setting_changed.connect(_forget, dispatch_uid="performance.alerts.channels")
