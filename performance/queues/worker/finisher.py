"""Writes how executions ended, many in one round trip, until Redis has taken them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import redis
import redis.asyncio
import structlog

from performance.queues import scripts
from performance.queues.clock import rq_time
from performance.queues.worker.run import Run

logger = structlog.get_logger(__name__)

Op = dict[str, Any]
Acknowledged = Callable[[Run, int], None]

BATCH = 256
GATHER = 0.002
FENCED, DONE, FOLLOW_UP = 0, 1, 2


class Finisher:
    """The slot of a job is free before its end is written; `pending` bounds how many may lag."""

    def __init__(
        self, worker: str, client: redis.asyncio.Redis, acknowledged: Acknowledged
    ) -> None:
        self._worker = worker
        self._client = client
        self._acknowledged = acknowledged
        self._waiting: list[tuple[Run, Op]] = []
        self._writing: list[tuple[Run, Op]] = []
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def pending(self) -> int:
        """How many ends Redis has not confirmed yet."""
        return len(self._waiting) + len(self._writing)

    def unwritten(self) -> list[Run]:
        """What has ended here and may still hold its lease; for any thread."""
        return [run for run, _ in (*self._writing, *self._waiting)]

    def add(self, run: Run, op: Op) -> None:
        """Takes one end; call on the loop."""
        self._waiting.append((run, op))
        self._empty.clear()
        self._more.set()

    async def drained(self) -> None:
        """Returns when everything is written."""
        await self._empty.wait()

    async def work(self) -> None:
        """Writes until cancelled."""
        while True:
            await self._more.wait()
            if len(self._waiting) < BATCH // 4:
                await asyncio.sleep(GATHER)
            self._writing, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            await self._write(self._writing)
            self._writing = []
            if not self._waiting:
                self._more.clear()
                self._empty.set()

    async def _write(self, batch: list[tuple[Run, Op]]) -> None:
        delay = 0.1
        while True:
            try:
                answers = await scripts.arun(self._client, "finish", self._packed(batch))
            except (redis.RedisError, OSError) as error:
                logger.warning("finish_postponed", jobs=len(batch), error=type(error).__name__)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
            else:
                break
        for (run, _), answer in zip(batch, answers, strict=True):
            self._tell(run, answer)

    def _tell(self, run: Run, answer: int) -> None:
        """What others make of one end must not keep the next ones from being written."""
        try:
            self._acknowledged(run, answer)
        except Exception:
            logger.exception("acknowledgement_failed", task=run.name, task_id=run.id)

    def _packed(self, batch: list[tuple[Run, Op]]) -> bytes:
        now = time.time()
        return msgspec.msgpack.encode(
            {
                "worker": self._worker,
                "iso_now": rq_time(now),
                "unix_now": now,
                "ops": [op for _, op in batch],
            }
        )
