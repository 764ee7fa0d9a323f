"""Channels: where a message may go, and what is on the way."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import socket
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from performance.alerts import channels
from performance.alerts.channels import ChannelError, Message, Refused, addresses, webhook

SECRET = "a secret of many characters"
MESSAGE = Message(
    id="abc", subject="[critical] x", text="text", severity="critical", payload={"a": 1}
)


@pytest.fixture
def configure(settings: Any) -> Any:
    def chosen(kind: str, networks: tuple[str, ...] = (), **options: Any) -> channels.Channel:
        backend = f"performance.alerts.channels.{kind}"
        alerts = {
            **settings.PERFORMANCE["ALERTS"],
            "CHANNELS": {"ops": {"BACKEND": backend, "OPTIONS": options}},
            "ALLOWED_NETWORKS": networks,
        }
        settings.PERFORMANCE = {**settings.PERFORMANCE, "ALERTS": alerts}
        return channels.get("ops")

    return chosen


class Receiver(http.server.BaseHTTPRequestHandler):
    got: list[tuple[Any, bytes]] = []
    status = 200
    location = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.headers, body))
        self.send_response(self.status)
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Any]:
    Receiver.got, Receiver.status, Receiver.location = [], 200, ""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server: Any, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.server_address[1]}/hook?x=1"


def test_a_webhook_is_signed(configure: Any, receiver: Any) -> None:
    configure(
        "webhook.WebhookChannel", networks=("127.0.0.0/8",), url=url(receiver), secret=SECRET
    ).send(MESSAGE)

    ((headers, body),) = Receiver.got
    signed = headers["X-Alert-Timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Alert-Signature"] == f"sha256={expected}"
    assert headers["X-Alert-Id"] == "abc"
    assert json.loads(body) == {"id": "abc", "a": 1}


@pytest.mark.parametrize(
    ("status", "error"),
    [(302, Refused), (404, Refused), (429, ChannelError), (500, ChannelError)],
)
def test_answers_of_a_webhook(
    status: int, error: type[Exception], configure: Any, receiver: Any
) -> None:
    Receiver.status, Receiver.location = status, "http://127.0.0.1:1/"
    made = configure(
        "webhook.WebhookChannel", networks=("127.0.0.0/8",), url=url(receiver), secret=SECRET
    )
    with pytest.raises(error, match=f"HTTP {status}") as raised:
        made.send(MESSAGE)

    assert type(raised.value) is error
    assert len(Receiver.got) == 1


INSIDE = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "localhost"),
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8"),
    *("198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.88.99.1"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fe80::1]", "[fd00::1]"),
    *("[fc00::1]", "[fec0::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]"),
    *("[::7f00:1]", "[2002:7f00:1::1]", "[2002:a00:1::1]", "[2001:0:0:0:0:0:80ff:fffe]"),
    *("[2001:db8::1]", "[100::1]", "①②⑦.⓪.⓪.①", "127。0。0。1"),
]


@pytest.mark.parametrize("host", INSIDE)
def test_addresses_inside_are_refused(host: str, configure: Any, monkeypatch: Any) -> None:
    def no_packet(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("a connection was made")

    made = configure("webhook.WebhookChannel", url=f"https://{host}/", secret=SECRET)
    monkeypatch.setattr(socket, "create_connection", no_packet)

    with pytest.raises(ChannelError):
        made.send(MESSAGE)


@pytest.mark.parametrize(
    "bad",
    [
        *("ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "//example.org/"),
        *("https://user:pw@example.org/", "https://127.0.0.1@example.org/", "https:///x", "x"),
        *("https://example.org\\@127.0.0.1/", "https://exa mple.org/", "https://e.org/\r\nX: y"),
        *("https://example.org:0/", "https://example.org:99999/", "https://[::1/"),
    ],
)
def test_bad_urls_are_refused_without_being_told(bad: str, configure: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="'url'") as raised:
        configure("webhook.WebhookChannel", url=bad, secret=SECRET)

    assert bad not in str(raised.value)


def resolves_to(monkeypatch: Any, *answers: list[str]) -> list[str]:
    """Each look-up of a name gets the next answer; the hosts that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_one_address_inside_is_enough_to_refuse(monkeypatch: Any, configure: Any) -> None:
    resolves_to(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    made = configure("webhook.WebhookChannel", url="https://example.org/", secret=SECRET)

    with pytest.raises(Refused, match="inside"):
        made.send(MESSAGE)


def test_a_name_is_resolved_once_and_that_address_is_used(monkeypatch: Any, configure: Any) -> None:
    """DNS rebinding: the second look-up would lead inside."""
    asked = resolves_to(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    tried: list[Any] = []

    def connect(address: Any, *_args: Any) -> None:
        tried.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    made = configure("webhook.WebhookChannel", url="https://example.org/", secret=SECRET)
    with pytest.raises(ChannelError):
        made.send(MESSAGE)

    assert asked == ["example.org"]
    assert tried == [("93.184.215.14", 443)]


@pytest.mark.parametrize(
    "target",
    ["https://example.org:22/", "https://example.org:5432/", "https://example.org:6379/"],
)
def test_ports_of_other_services_are_refused(target: str, monkeypatch: Any, configure: Any) -> None:
    resolves_to(monkeypatch, ["93.184.215.14"])
    made = configure("webhook.WebhookChannel", url=target, secret=SECRET)

    with pytest.raises(Refused, match="port"):
        made.send(MESSAGE)


def test_plain_http_stays_inside(monkeypatch: Any, configure: Any) -> None:
    resolves_to(monkeypatch, ["93.184.215.14"])
    made = configure("webhook.WebhookChannel", url="http://example.org/", secret=SECRET)

    with pytest.raises(Refused, match="plain http"):
        made.send(MESSAGE)


def test_a_server_that_answers_byte_by_byte_is_cut(configure: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(webhook, "DEADLINE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        target = f"http://127.0.0.1:{server.getsockname()[1]}/"
        made = configure(
            "webhook.WebhookChannel", networks=("127.0.0.0/8",), url=target, secret=SECRET
        )
        with pytest.raises(ChannelError):
            made.send(MESSAGE)
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("webhook.WebhookChannel", {"url": "https://e.org/"}, "'secret'"),
        ("webhook.WebhookChannel", {"url": "https://e.org/", "secret": "short"}, "'secret'"),
        ("email.EmailChannel", {"to": ["no address"]}, "'to'"),
        ("email.EmailChannel", {"to": ["a@example.org"], "cc": 1}, "'cc'"),
        ("email.EmailChannel", {"to": ["a@example.org"], "min_severity": "x"}, "'min_severity'"),
        ("email.NoChannel", {}, "'BACKEND'"),
        ("apprise.AppriseChannel", {"urls": ["file:///tmp/x"]}, "'urls'"),
        ("apprise.AppriseChannel", {"urls": ["json://10.0.0.1"]}, "'urls'"),
    ],
)
def test_bad_options_are_named(
    kind: str, options: dict[str, Any], named: str, configure: Any
) -> None:
    with pytest.raises(ImproperlyConfigured, match=named):
        configure(kind, **options)
    assert len(list(channels.problems())) == 1


def test_an_email_is_the_same_at_every_try(configure: Any) -> None:
    made = configure("email.EmailChannel", to=["ops@example.org"], sender="site@example.org")
    made.send(MESSAGE)
    made.send(MESSAGE)

    assert [one.message()["Message-ID"] for one in mail.outbox] == ["<abc@alerts.invalid>"] * 2
    assert mail.outbox[0].to == ["ops@example.org"]


def test_a_mail_server_that_is_away_is_an_error(configure: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 1, "pw"

    with pytest.raises(ChannelError, match="ConnectionRefusedError"):
        configure("email.EmailChannel", to=["ops@example.org"]).send(MESSAGE)


def test_without_a_mail_server_nothing_is_said_to_be_sent(configure: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "chatsite.mail.UnsetBackend"

    with pytest.raises(ChannelError, match="EMAIL_URL"):
        configure("email.EmailChannel", to=["ops@example.org"]).send(MESSAGE)


@pytest.mark.parametrize("public", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_public(public: str) -> None:
    import ipaddress

    assert addresses.is_public(ipaddress.ip_address(public))


def test_apprise_reaches_a_service(configure: Any, receiver: Any) -> None:
    target = f"ntfy://127.0.0.1:{receiver.server_address[1]}/alerts"
    configure("apprise.AppriseChannel", urls=[target]).send(MESSAGE)

    ((_, body),) = Receiver.got
    assert b"[critical] x" in body


def test_a_service_that_apprise_cannot_reach_is_an_error(configure: Any, receiver: Any) -> None:
    Receiver.status = 500
    target = f"ntfy://127.0.0.1:{receiver.server_address[1]}/alerts"

    with pytest.raises(ChannelError, match="could not reach") as raised:
        configure("apprise.AppriseChannel", urls=[target]).send(MESSAGE)
    assert "127.0.0.1" not in str(raised.value)


def test_a_receiver_checks_as_the_documentation_says() -> None:
    page = (Path(__file__).parents[3] / "docs/operations/alerts.md").read_text()
    example = page.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "time": time}
    exec(textwrap.dedent(f"  {example.lstrip()}"), names)
    stamp, body = str(int(time.time())), b'{"id": "x"}'
    signed = "sha256=" + webhook.signature("s" * 16, stamp, body)

    assert names["is_genuine"]("s" * 16, stamp, signed, body)
    assert not names["is_genuine"]("s" * 16, stamp, signed, body + b" ")
    assert not names["is_genuine"]("t" * 16, stamp, signed, body)
    assert not names["is_genuine"]("s" * 16, str(int(stamp) - 301), signed, body)
