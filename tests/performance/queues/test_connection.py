from __future__ import annotations

import ssl
from typing import Any

import pytest

from performance.queues import connection
from tests.performance.queues.conftest import use


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("redis://me:pass@queue.example.org:6380/3", {}),
        (
            "rediss://me:pass@queue.example.org:6380/3?ssl_cert_reqs=none&ssl_check_hostname=False",
            {"cert_reqs": ssl.CERT_NONE, "check_hostname": False},
        ),
        (
            "rediss://me:pass@queue.example.org:6380/3?ssl_ca_certs=/etc/ca.pem&ssl_validate_ocsp=True",
            {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": "/etc/ca.pem"},
        ),
    ],
)
def test_the_workers_connection_asks_of_certificates_what_the_other_asks(
    settings: Any, url: str, tls: dict[str, Any]
) -> None:
    use(settings, url)
    made: Any = connection.async_client().connection_pool.make_connection()
    assert (made.host, made.port, made.db) == ("queue.example.org", 6380, 3)
    assert (made.username, made.password) == ("me", "pass")
    context = getattr(made, "ssl_context", None)
    assert {name: getattr(context, name) for name in tls} == tls
    assert (context is not None) is bool(tls)
