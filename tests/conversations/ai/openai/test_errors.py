from __future__ import annotations

import json

import httpx2
import pytest

from conversations.ai.exceptions import (
    BackendOverloaded,
    BackendTimeout,
    BackendUnreachable,
    BadCredentials,
    ChatBackendError,
    ContextTooLong,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    StreamInterrupted,
)
from conversations.ai.openai.errors import from_response, from_transport


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "invalid_value"}, RequestRefused),
        (400, {"code": "context_length_exceeded"}, ContextTooLong),
        (400, {"code": 400, "type": "exceed_context_size_error"}, ContextTooLong),
        (400, {"message": "The prompt exceeds the available context size"}, ContextTooLong),
        (401, {}, BadCredentials),
        (403, {}, BadCredentials),
        (404, {"code": "model_not_found"}, RequestRefused),
        (307, {}, RequestRefused),
        (408, {}, BackendOverloaded),
        (409, {}, BackendOverloaded),
        (413, {}, ContextTooLong),
        (429, {}, RateLimited),
        (429, {"type": "insufficient_quota"}, QuotaExhausted),
        (402, {}, QuotaExhausted),
        (500, {"code": "invalid_request"}, BackendOverloaded),
        (529, {}, BackendOverloaded),
    ],
)
def test_by_status_and_code(status: int, error: object, kind: type[ChatBackendError]) -> None:
    found = from_response(status, json.dumps({"error": error}).encode())
    assert type(found) is kind
    assert f"HTTP {status}" in str(found)


def test_what_the_server_wrote_is_not_repeated() -> None:
    body = {"error": {"message": "Bad key sk-123: my secret", "code": "key sk-123 is wrong"}}
    assert str(from_response(401, json.dumps(body).encode())) == "HTTP 401"


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[1]", b"\xff", b'{"error": "x"}'])
def test_any_body(body: bytes) -> None:
    assert type(from_response(503, body)) is BackendOverloaded
    assert type(from_response(400, body)) is RequestRefused


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.ConnectError(""), BackendUnreachable),
        (httpx2.ConnectTimeout(""), BackendUnreachable),
        (httpx2.PoolTimeout(""), BackendUnreachable),
        (httpx2.WriteTimeout(""), BackendTimeout),
        (httpx2.ReadError(""), StreamInterrupted),
        (httpx2.RemoteProtocolError(""), StreamInterrupted),
    ],
)
def test_transport(error: httpx2.HTTPError, kind: type[ChatBackendError]) -> None:
    assert type(from_transport(error)) is kind
