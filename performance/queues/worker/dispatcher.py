"""The worker's event loop: claims jobs for its free slots, has them run and their ends written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import redis
import structlog

from performance.queues import connection
from performance.queues.conf import QueueOptions
from performance.queues.levels import Level
from performance.queues.worker import outcomes
from performance.queues.worker.claims import AT_ONCE, Claims
from performance.queues.worker.ends import Ends, Hooks
from performance.queues.worker.execution import Execution
from performance.queues.worker.finisher import Finisher
from performance.queues.worker.run import Run
from performance.queues.worker.stops import Stops
from performance.queues.worker.wake import Wake

logger = structlog.get_logger(__name__)

MOST_UNWRITTEN = 2048
UNWIND = 1.5
"""Seconds that runs get to end after they were told to at a shutdown."""
LAST_WRITES = 5.0
"""Seconds that a stopping worker waits for a Redis that is away."""


class Dispatcher:
    """`run()` works until stopped; `stop`, `hand_back`, `cancel` and `lost` are safe from any thread."""

    def __init__(
        self, name: str, levels: Sequence[Level], conf: QueueOptions, hooks: Hooks, *, burst: bool
    ) -> None:
        self.name = name
        self.levels = levels
        self.conf = conf
        self.runs: dict[str, Run] = {}
        self.claimed = 0
        self.stopping = False
        self.left_behind = False
        self.attached = False
        self._ends = Ends(hooks)
        self._burst = burst
        self._broken: BaseException | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ties it to its loop, before anything may call it."""
        self._loop = loop
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        # One client each, so that a claim never waits behind another command's answer.
        self._clients = [connection.async_client() for _ in range(3)]
        claims, finishes, wakes = self._clients
        self._claims = Claims(self.name, self.levels, self.conf, claims)
        self._finisher = Finisher(self.name, finishes, self._ends.acknowledged)
        self._wake = Wake(wakes, self._changed.set)
        self._execution = Execution(self.conf, loop, self._close)
        self._stops = Stops(self.runs, self._execution)
        self.attached = True

    async def run(self) -> None:
        """Works until stopped, or in burst mode until nothing waits; everything is written then."""
        helpers = [
            self._loop.create_task(work())
            for work in (self._finisher.work, self._wake.listen, self._stops.watch)
        ]
        for helper in helpers:
            helper.add_done_callback(self._helper_ended)
        try:
            await self._claim_until_stopped()
            await self._wind_down()
            await self._write_what_is_left()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._execution.close()
            for client in self._clients:
                await connection.aclose(client)
        if self._broken is not None:
            raise RuntimeError("A part of the worker ended by itself.") from self._broken

    def _helper_ended(self, helper: asyncio.Task[None]) -> None:
        """Without one of them the worker would look alive and do nothing: it ends with an error."""
        if helper.cancelled():
            return
        self._broken = helper.exception() or RuntimeError("It returned.")
        logger.error("worker_part_ended", exc_info=self._broken)
        self.stopping = True
        self._hurry.set()
        self._changed.set()

    # From any thread

    def stop(self) -> None:
        """Claims no more; what runs may finish within the grace time."""
        self.stopping = True
        self._loop.call_soon_threadsafe(self._changed.set)

    def hand_back(self) -> None:
        """Ends the grace time now."""
        self._loop.call_soon_threadsafe(self._hurry.set)

    def cancel(self, job_id: str) -> None:
        """Stops the job's run here, also one whose claim is still on its way."""
        self._loop.call_soon_threadsafe(self._stops.cancel, job_id)

    def lost(self, execution: str) -> None:
        """Its lease is gone: somebody else has the job now, so this run must not go on."""
        self._loop.call_soon_threadsafe(self._stops.lost, execution)

    @property
    def ended(self) -> int:
        """How many runs have ended since the start."""
        return self._ends.count

    @property
    def tick(self) -> float:
        """When the loop last had a turn, by the monotonic clock."""
        return self._stops.tick

    def leased(self) -> list[Run]:
        """What runs, and what has ended without Redis knowing it yet; for any thread."""
        return [*self.runs.values(), *self._finisher.unwritten()]

    # Claiming

    async def _claim_until_stopped(self) -> None:
        while not self.stopping:
            self._changed.clear()
            free = self._free_slots()
            if free <= 0:
                await self._sleep(1.0)
                continue
            claimed = await self._claim(free)
            if claimed:
                await self._begin_and_claim_ahead(claimed)
            elif claimed is not None and self._burst and self._idle:
                return
            else:
                await self._sleep(0.01 if self._burst else self._wake.interval)

    @property
    def _idle(self) -> bool:
        return not self.runs and not self._finisher.pending

    async def _begin_and_claim_ahead(self, claimed: list[Run] | None) -> None:
        """As long as claims come back full, the next one is served while these jobs begin."""
        while claimed:
            ahead: asyncio.Task[list[Run] | None] | None = None
            free = self._free_slots()
            if len(claimed) == AT_ONCE and free >= AT_ONCE // 2 and not self.stopping:
                ahead = self._loop.create_task(self._claim(free))
                await asyncio.sleep(0)
            self._begin(claimed)
            # One turn of the loop, so that what was begun gets to run.
            await asyncio.sleep(0)
            claimed = await ahead if ahead else None

    def _free_slots(self) -> int:
        if self._finisher.pending >= MOST_UNWRITTEN or self._execution.congested:
            return 0
        free = self.conf.concurrency - len(self.runs)
        if self.conf.max_jobs:
            free = min(free, self.conf.max_jobs - self.claimed)
            self.stopping = self.stopping or self.claimed >= self.conf.max_jobs
        return free

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def _claim(self, slots: int) -> list[Run] | None:
        """None when Redis did not answer."""
        try:
            claimed = await self._claims.claim(slots)
        except (redis.RedisError, OSError) as error:
            logger.warning("claim_failed", error=type(error).__name__)
            await asyncio.sleep(0.2)
            await self._claims.return_orphans(run.execution for run in self.leased())
            return None
        self.claimed += len(claimed)
        # All at once: should one of them hold up the loop, the others' leases are renewed too.
        self.runs |= {run.execution: run for run in claimed}
        return claimed

    def _begin(self, claimed: list[Run]) -> None:
        for run in claimed:
            if self._stops.were_asked(run):
                run.stop_reason = "cancelled"
            self._execution.start(run)

    # Ending

    def _close(self, run: Run, op: dict[str, Any]) -> None:
        if run.closed:
            return
        run.closed = True
        run.handle = None
        self.runs.pop(run.execution, None)
        self._stops.forget(run)
        self._finisher.add(run, op)
        self._changed.set()

    # Stopping

    async def _wind_down(self) -> None:
        self.stopping = True
        await self._wait_for_runs(self.conf.grace)
        if not self.runs:
            return
        logger.info("handing_back", jobs=len(self.runs))
        for run in list(self.runs.values()):
            self._execution.halt(run, "preempted")
        await self._wait_for_runs(UNWIND, hurried=True)
        self.left_behind = bool(self.runs)
        for run in list(self.runs.values()):
            self._close(run, outcomes.handed_back(run))

    async def _write_what_is_left(self) -> None:
        """Without Redis these ends are lost; the leases bring their jobs back, to run again."""
        try:
            await asyncio.wait_for(self._finisher.drained(), LAST_WRITES)
        except TimeoutError:
            logger.error("ends_not_written", runs=self._finisher.pending)  # noqa: TRY400

    async def _wait_for_runs(self, seconds: float, *, hurried: bool = False) -> None:
        until = time.monotonic() + seconds
        while self.runs and time.monotonic() < until:
            if self._hurry.is_set() and not hurried:
                return
            self._changed.clear()
            await self._sleep(0.05)
