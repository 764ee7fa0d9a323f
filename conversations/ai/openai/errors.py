"""Which named error a status, an error object or a failed connection is.

What the server wrote stays out of the errors: it may quote the key or the prompt. They carry its
status and error code alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2

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

BY_STATUS: dict[int, type[ChatBackendError]] = {
    401: BadCredentials,
    402: QuotaExhausted,
    403: BadCredentials,
    408: BackendOverloaded,
    409: BackendOverloaded,
    413: ContextTooLong,
    429: RateLimited,
}
BY_CODE: tuple[tuple[str, type[ChatBackendError]], ...] = (
    ("insufficient_quota", QuotaExhausted),
    ("context_length", ContextTooLong),
    ("exceed_context_size", ContextTooLong),
    ("rate_limit", RateLimited),
    ("invalid_api_key", BadCredentials),
    ("authentication", BadCredentials),
    ("invalid_request", RequestRefused),
)
TOO_LONG = re.compile(r"(maximum|exceeds?|exceeded).{0,40}context|context.{0,40}(exceed|too long)")
WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def from_response(status: int, body: bytes) -> ChatBackendError:
    """The error of a response that is not 200, with at most its status and code in its text."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = {}
    found = payload.get("error", payload) if isinstance(payload, dict) else payload
    kind = BY_STATUS.get(status) or (BackendOverloaded if status >= 500 else RequestRefused)
    if kind in (RequestRefused, RateLimited):
        kind = _by_code(found) or kind
    return kind(f"HTTP {status} {_code(found)}".strip())


def from_payload(found: Any) -> ChatBackendError:
    """The error of an error object inside a stream that began with status 200."""
    status = found.get("code") if isinstance(found, dict) else None
    kind = BY_STATUS.get(status) if isinstance(status, int) else None
    return (kind or _by_code(found) or BackendOverloaded)(f"in stream: {_code(found)}")


def from_transport(error: httpx2.HTTPError) -> ChatBackendError:
    """The error of a connection that failed."""
    detail = type(error).__name__
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return BackendUnreachable(detail)
    if isinstance(error, httpx2.TimeoutException):
        return BackendTimeout(detail)
    return StreamInterrupted(detail)


def _code(found: Any) -> str:
    if not isinstance(found, dict):
        return ""
    words = (found.get(key) for key in ("code", "type"))
    return next((word for word in words if isinstance(word, str) and WORD.fullmatch(word)), "")


def _by_code(found: Any) -> type[ChatBackendError] | None:
    if not isinstance(found, dict):
        return None
    words = f"{found.get('code')} {found.get('type')}".lower()
    for part, kind in BY_CODE[:-1]:
        if part in words:
            return kind
    if TOO_LONG.search(str(found.get("message"))[:1000].lower()):
        return ContextTooLong
    return RequestRefused if BY_CODE[-1][0] in words else None
