"""Alerts by e-mail, through Django's own e-mail backend."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email

from performance.alerts.channels.base import Channel, ChannelError, Message

TIMEOUT = 10


class EmailChannel(Channel):
    """OPTIONS: to (addresses), sender (else DEFAULT_FROM_EMAIL)."""

    required: ClassVar[frozenset[str]] = frozenset({"to"})
    optional: ClassVar[frozenset[str]] = frozenset({"sender"})

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        to = options["to"]
        self.to: list[str] = [to] if isinstance(to, str) else list(to)
        try:
            for address in self.to:
                validate_email(address)
        except ValidationError:
            raise self.wrong("to", "holds something that is no e-mail address") from None

    def send(self, message: Message) -> None:
        email = EmailMessage(
            subject=" ".join(message.subject.split()),
            body=message.text,
            from_email=self.options.get("sender"),
            to=self.to,
            # The same at every try: mail programs show it once.
            headers={
                "Message-ID": f"<{message.id}@alerts.invalid>",
                "Auto-Submitted": "auto-generated",
            },
            connection=get_connection(),
        )
        try:
            sent = email.send()
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelError(type(error).__name__) from None
        if not sent:
            raise ChannelError("the e-mail backend sent nothing; is EMAIL_URL set?")
