"""Alerts through apprise (chat services, push, SMS), an optional package."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

from performance.alerts.channels.base import Channel, ChannelError, Message

# These write files, run programs, or reach any address without our checks.
REFUSED = (
    "file",
    "syslog",
    "dbus",
    "gnome",
    "kde",
    "macosx",
    "windows",
    "json",
    "jsons",
    "form",
    "forms",
    "xml",
    "xmls",
)


class AppriseChannel(Channel):
    """OPTIONS: urls, as apprise documents them. They are secrets; the package is imported when used."""

    required: ClassVar[frozenset[str]] = frozenset({"urls"})

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        urls = options["urls"]
        self.urls: list[str] = [urls] if isinstance(urls, str) else list(urls)
        for url in self.urls:
            scheme = url.partition("://")[0].lower()
            if "://" not in url or scheme.split("+")[0] in REFUSED:
                raise self.wrong("urls", "holds an address that apprise may not be used for here")
        if find_spec("apprise") is None:
            raise self.wrong("urls", "wants the package apprise, which is not installed")

    def send(self, message: Message) -> None:
        import apprise

        # It would log addresses.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)

        sender = apprise.Apprise()
        for url in self.urls:
            if not sender.add(url):
                raise ChannelError("apprise does not know an address")
        kinds = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
        kind = kinds.get(message.severity, apprise.NotifyType.INFO)
        if not sender.notify(body=message.text, title=message.subject, notify_type=kind):
            raise ChannelError("apprise could not reach a service")
