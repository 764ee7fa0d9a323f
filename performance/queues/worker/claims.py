"""Taking jobs off the queues, some at a time, by one script call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec
import redis
import redis.asyncio

from performance.queues import scripts
from performance.queues.clock import rq_time
from performance.queues.conf import QueueOptions
from performance.queues.levels import Level
from performance.queues.worker.run import Run, from_claim

AT_ONCE = 50
"""So few that the first jobs of a claim run while the next claim is on its way."""
OVERDUE_SHARE = 8
"""One slot in so many goes to a level whose head has waited longer than it may."""


class Claims:
    """Claims for one worker; executions are numbered, so that a lost answer is told from a live run."""

    def __init__(
        self,
        worker: str,
        levels: Sequence[Level],
        conf: QueueOptions,
        client: redis.asyncio.Redis,
    ) -> None:
        self._worker = worker
        self._levels = levels
        self._conf = conf
        self._client = client
        self._numbered = 0
        self._overdue_credit = 0.0

    async def claim(self, slots: int) -> list[Run]:
        """Up to `slots` started jobs, best level first. Raises redis.RedisError and OSError."""
        rows = await scripts.arun(self._client, "claim", self._call(min(slots, AT_ONCE)))
        self._numbered += len(rows)
        self._overdue_credit = min(
            self._overdue_credit + len(rows) / OVERDUE_SHARE, float(OVERDUE_SHARE)
        )
        return [from_claim(row, self._worker) for row in rows]

    async def return_orphans(self, known: Iterable[str]) -> None:
        """After a lost answer: what the server gave out without our knowing goes back at once."""
        # The numbers of the lost answer must not be given out twice.
        self._numbered += AT_ONCE
        call = {
            "worker": self._worker,
            "levels": list(Level),
            "known": dict.fromkeys(known, True),
        }
        with suppress(redis.RedisError, OSError):
            await scripts.arun(self._client, "orphans", msgspec.msgpack.encode(call))

    def _call(self, slots: int) -> bytes:
        now = time.time()
        overdue_slots = min(int(self._overdue_credit), max(1, slots // OVERDUE_SHARE))
        self._overdue_credit -= overdue_slots
        return msgspec.msgpack.encode(
            {
                "worker": self._worker,
                "first": self._numbered,
                "slots": slots,
                "overdue_slots": overdue_slots,
                "lease": self._conf.lease,
                "iso_now": rq_time(now),
                "levels": [
                    {"name": level.value, "overdue": self._overdue_before(level, now)}
                    for level in self._levels
                ],
            }
        )

    def _overdue_before(self, level: Level, now: float) -> str | bool:
        wait = self._conf.max_wait.get(level)
        return rq_time(now - wait) if wait else False
