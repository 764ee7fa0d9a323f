"""Whether and when to ask again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from conversations.ai.exceptions import (
    BackendOverloaded,
    BackendUnreachable,
    ChatBackendError,
    RateLimited,
    StreamInterrupted,
)

RETRYABLE = (BackendOverloaded, BackendUnreachable, RateLimited, StreamInterrupted)
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
LONGEST_WAIT = 30.0  # a server that asks for more has its answer go to the user
WORTH_A_TURN = 0.05  # seconds


def wanted_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: `retry-after-ms`, or Retry-After in either form."""
    wait = _number(headers.get("retry-after-ms"))
    if wait is not None:
        return wait / 1000
    value = headers.get("retry-after")
    wait = _number(value)
    return wait if wait is not None or value is None else _until(value)


def pause_before(retry: int, error: ChatBackendError) -> float | None:
    """Seconds to wait before the `retry`-th retry (from 1), or None where waiting is no use."""
    if not isinstance(error, RETRYABLE):
        return None
    jitter = random.uniform(0.1, 1) * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**retry)  # noqa: S311 - no secret
    if error.retry_after is None:
        return jitter
    if error.retry_after > LONGEST_WAIT:
        return None
    return error.retry_after + jitter / 4


def is_turned_away(error: ChatBackendError) -> bool:
    """Whether the provider says when it takes the request: then it waits its turn, and is no failed try."""
    return isinstance(error, RateLimited) and (error.retry_after or 0) >= WORTH_A_TURN


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
