"""What a channel is: one class that sends one message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured

from performance.models.alert_rules import Severity


class ChannelError(Exception):
    """It was not sent; another try may help. The text holds no address and no secret."""

    loggable: ClassVar[bool] = True


class Refused(ChannelError):
    """It was not sent, and another try will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`id` is the same at every try, so that a receiver may drop what it has."""

    id: str
    subject: str
    text: str
    severity: str
    payload: Mapping[str, Any] = field(default_factory=dict)


class Channel:
    """Base of all channels. `options` come from settings; a channel names the ones it knows."""

    required: ClassVar[frozenset[str]] = frozenset()
    optional: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        """Raises ImproperlyConfigured that names the option, never its value."""
        self.alias = alias
        self.options = options
        known = self.required | self.optional | {"min_severity"}
        if unknown := sorted(set(options) - known):
            raise self.wrong(unknown[0], f"is not known; there are {', '.join(sorted(known))}")
        for name in sorted(self.required):
            if not options.get(name):
                raise self.wrong(name, "is missing")
        if options.get("min_severity", Severity.INFO) not in Severity.values:
            raise self.wrong("min_severity", f"must be one of {', '.join(Severity.values)}")

    def wrong(self, option: str, why: str) -> ImproperlyConfigured:
        where = f"PERFORMANCE['ALERTS']['CHANNELS'][{self.alias!r}]['OPTIONS'][{option!r}]"
        return ImproperlyConfigured(f"{where} {why}.")

    def takes(self, severity: str) -> bool:
        """Whether alerts of this severity go here when a rule names no channels."""
        least = Severity(self.options.get("min_severity", Severity.INFO))
        return Severity(severity).rank >= least.rank

    def send(self, message: Message) -> None:
        """Sends it within 20 seconds. Raises ChannelError."""
        raise NotImplementedError
