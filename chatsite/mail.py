"""EMAIL_URL to Django's e-mail settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

logger = structlog.get_logger(__name__)

PORTS = {"smtp": 587, "smtps": 465}
TIMEOUT = 10  # seconds; a mail server that hangs must not hold a page


def email_settings(url: str) -> dict[str, Any]:
    """The EMAIL_* settings of `url`; "console:" prints e-mails, and without a URL none is sent.

    smtp:// upgrades the connection by STARTTLS, smtps:// encrypts from the start.
    Raises ImproperlyConfigured on any other scheme or a URL without a host.
    """
    if not url:
        return {"EMAIL_BACKEND": "chatsite.mail.UnsetBackend"}
    if url == "console:":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in PORTS:
        # The URL itself stays out of the message: it holds a password.
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:port.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port or PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT,
    }


class UnsetBackend(BaseEmailBackend):
    """Says that an e-mail was not sent, and keeps its text, which may hold a link that logs in, to itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for _ in email_messages:
            logger.error("email_not_sent", reason="EMAIL_URL is not set")
        return 0
