from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from chatsite.asgi import application


def status(method: str, path: str) -> int:
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost")], "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async_to_sync(application)(scope, receive, send)
    found: int = sent[0]["status"]
    return found


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_only_read(path: str) -> None:
    assert status("HEAD", "/health/live") == status("GET", "/health/live") == 200
    for method in ("POST", "PUT", "DELETE"):
        assert status(method, path) == 405
