"""Cancelling a task that waits or runs."""

from __future__ import annotations

import time
from typing import Literal

from asgiref.sync import sync_to_async

from performance.queues import connection, scripts
from performance.queues.clock import rq_time

Outcome = Literal["canceled", "stopping", "missing", "finished", "failed", "stopped"]


def cancel(result_id: str) -> Outcome:
    """Cancels the task: "canceled" when it waited, "stopping" when it runs and its worker was told.

    A coroutine gets CancelledError at its next await and may store what it has; a sync task gets
    TaskCancelled at its next Python instruction, so not inside a C call. Any other answer is the
    state the task had already ended in. Calling it twice is harmless. Raises redis.RedisError.
    """
    now = time.time()
    answer: bytes = scripts.run(connection.client(), "cancel", result_id, rq_time(now), now)
    return answer.decode()  # type: ignore[return-value]


acancel = sync_to_async(cancel, thread_sensitive=False)
