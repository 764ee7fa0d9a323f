from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from conversations.ai.exceptions import (
    BackendOverloaded,
    BackendTimeout,
    BadCredentials,
    ChatBackendError,
    RateLimited,
)
from conversations.ai.openai.retry import LONGEST_PAUSE, LONGEST_WAIT, pause_before, wanted_wait


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:07 -0000"}, 7.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "inf"}, None),
    ],
)
def test_wanted_wait(headers: dict[str, str], seconds: float | None) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        assert wanted_wait(headers) == seconds


def test_pauses_are_drawn_anew_and_grow_up_to_a_limit() -> None:
    pauses = [
        [pause_before(retry, BackendOverloaded()) or 0 for _ in range(99)] for retry in (1, 9)
    ]
    assert len(set(pauses[0])) > 50
    assert max(pauses[0]) <= 0.5 < max(pauses[1]) <= LONGEST_PAUSE


def test_the_server_s_wish_is_the_least() -> None:
    assert all((pause_before(1, RateLimited(retry_after=2)) or 0) >= 2 for _ in range(99))


@pytest.mark.parametrize(
    "error", [BadCredentials(), BackendTimeout(), RateLimited(retry_after=LONGEST_WAIT + 1)]
)
def test_where_waiting_is_no_use(error: ChatBackendError) -> None:
    assert pause_before(1, error) is None
