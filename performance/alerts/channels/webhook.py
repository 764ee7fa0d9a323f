"""Alerts as signed JSON to an HTTPS address."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from performance import conf
from performance.alerts.channels import addresses
from performance.alerts.channels.base import Channel, ChannelError, Message, Refused

TIMEOUT = 5.0
DEADLINE = 15.0
"""For all of it: a server that sends a byte every few seconds would outlast any timeout."""


class WebhookChannel(Channel):
    """OPTIONS: url, secret (16 characters or more), ca_file (else the system's authorities).

    The body is JSON. Headers: X-Alert-Id (the same at every try), X-Alert-Timestamp, and
    X-Alert-Signature: "sha256=" and the hex HMAC of "<timestamp>.<body>" under the secret. A receiver
    compares it in constant time and refuses timestamps older than five minutes.
    """

    required: ClassVar[frozenset[str]] = frozenset({"url", "secret"})
    optional: ClassVar[frozenset[str]] = frozenset({"ca_file"})

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        try:
            self.parts = addresses.split(str(options["url"]))
        except ValueError as error:
            raise self.wrong("url", str(error)) from None
        if len(str(options["secret"])) < 16:
            raise self.wrong("secret", "must have 16 characters or more")
        self._allowed = addresses.networks(conf.current().alerts.allowed_networks)

    def send(self, message: Message) -> None:
        body = json.dumps({"id": message.id, **message.payload}).encode()
        address, port = addresses.resolve(self.parts, self._allowed)
        connection = self._connection(address, port)
        timer = threading.Timer(DEADLINE, _cut, [connection])
        timer.daemon = True
        timer.start()
        try:
            connection.request("POST", self._target(), body, self._headers(message, body))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise ChannelError(type(error).__name__) from None
        finally:
            timer.cancel()
            connection.close()
        _judge(status)

    def _target(self) -> str:
        query = f"?{self.parts.query}" if self.parts.query else ""
        return (self.parts.path or "/") + query

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "performance-alerts",
            "X-Alert-Id": message.id,
            "X-Alert-Timestamp": stamp,
            "X-Alert-Signature": "sha256=" + signature(str(self.options["secret"]), stamp, body),
        }

    def _connection(self, address: str, port: int) -> http.client.HTTPConnection:
        host = self.parts.hostname or ""
        if self.parts.scheme == "http":
            return _Pinned(host, port, address)
        context = ssl.create_default_context(cafile=self.options.get("ca_file"))
        return _PinnedTLS(host, port, address, context)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What a receiver computes to compare."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _judge(status: int) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Refused(f"HTTP {status}: redirects are not followed")
    if 400 <= status < 500 and status not in (408, 425, 429):
        raise Refused(f"HTTP {status}")
    raise ChannelError(f"HTTP {status}")


def _cut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name resolves to by now."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT)


class _PinnedTLS(_Pinned):
    """The certificate must be the name's."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, address)
        self._context = context

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)
