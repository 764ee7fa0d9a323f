"""The worker's event loop: claims jobs for its free slots, runs them, has their ends written."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Any

import msgspec
import redis
import structlog
from django.tasks.base import TaskResultStatus
from django.tasks.signals import task_finished, task_started
from rq.utils import utcformat

from performance.queues import connection, progress, running, scripts
from performance.queues.conf import QueueOptions
from performance.queues.exceptions import TaskCancelled
from performance.queues.levels import Level
from performance.queues.worker import outcomes
from performance.queues.worker.children import ChildDied, ChildRaised, Children
from performance.queues.worker.database import DatabaseThreads
from performance.queues.worker.finisher import FENCED, FOLLOW_UP, Finisher
from performance.queues.worker.run import Run, StopReason, from_claim
from performance.queues.worker.threads import Threads
from performance.queues.worker.wake import Wake

logger = structlog.get_logger(__name__)

CLAIM_AT_ONCE = 32
MOST_UNWRITTEN = 2048
UNWIND = 1.5
"""Seconds that coroutines get to end after they were cancelled at a shutdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the rest of the worker wants to hear; all called on the loop."""

    ended: Callable[[Run], None]
    follow_up: Callable[[Run], None]
    parked: Callable[[Run], None]


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
        self.ended = 0
        self.stopping = False
        self.left_behind = False
        self.tick = time.monotonic()
        self._hooks = hooks
        self._burst = burst
        self._stops: dict[str, float] = {}
        self._overdue_credit = 0.0
        self._numbered = 0
        self._most_jobs = conf.max_jobs

    async def run(self) -> None:
        """Works until stopped, or in burst mode until nothing waits; everything is written then."""
        # One client each, so that a claim never waits behind another command's answer.
        clients = [connection.async_client() for _ in range(3)]
        self._claims, finishes, wakes = clients
        self._finisher = Finisher(self.name, finishes, self._acknowledged)
        self._wake = Wake(wakes, self._changed.set)
        self._threads = Threads(self.conf.threads, self._call, self._thread_ended, self._loop)
        self._children = Children(self.conf.children)
        self._database = DatabaseThreads(self.conf.database_threads)
        helpers = [
            self._loop.create_task(work())
            for work in (self._finisher.work, self._wake.listen, self._watch)
        ]
        try:
            await self._claim_until_stopped()
            await self._wind_down()
            await self._finisher.drained()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._threads.close()
            self._children.close()
            self._database.close()
            for client in clients:
                await client.aclose()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ties it to its loop, before anything may call it."""
        self._loop = loop
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()

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
        self._loop.call_soon_threadsafe(self._cancel, job_id)

    def lost(self, execution: str) -> None:
        """Its lease is gone: somebody else has the job now, so this run must not go on."""
        self._loop.call_soon_threadsafe(self._lost, execution)

    def wake(self) -> None:
        """Looks for work at once."""
        self._loop.call_soon_threadsafe(self._changed.set)

    # Claiming

    async def _claim_until_stopped(self) -> None:
        while not self.stopping:
            self._changed.clear()
            free = self._free_slots()
            if free <= 0:
                await self._sleep(1.0)
                continue
            found = await self._claim(min(free, CLAIM_AT_ONCE))
            if found:
                # One turn of the loop, so that what was claimed gets to run.
                await asyncio.sleep(0)
            elif self._burst and not self.runs and not self._finisher.pending:
                return
            else:
                await self._sleep(0.01 if self._burst else self._wake.interval)

    def _free_slots(self) -> int:
        if self._finisher.pending >= MOST_UNWRITTEN or self._threads.busy >= 2 * self._threads.size:
            return 0
        free = self.conf.concurrency - len(self.runs)
        if self._most_jobs:
            free = min(free, self._most_jobs - self.claimed)
            if self.claimed >= self._most_jobs:
                self.stopping = True
        return free

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def _claim(self, slots: int) -> int:
        try:
            rows = await scripts.arun(self._claims, "claim", self._claim_call(slots))
        except (redis.RedisError, OSError) as error:
            logger.warning("claim_failed", error=type(error).__name__)
            await asyncio.sleep(0.2)
            await self._return_orphans()
            return 0
        self.claimed += len(rows)
        self._numbered += len(rows)
        self._overdue_credit = min(self._overdue_credit + len(rows) / 8, 8)
        for row in rows:
            self._start(from_claim(row, self.name))
        return len(rows)

    def _claim_call(self, slots: int) -> bytes:
        now = datetime.now(UTC)
        overdue_slots = min(int(self._overdue_credit), max(1, slots // 8))
        self._overdue_credit -= overdue_slots
        return msgspec.msgpack.encode(
            {
                "worker": self.name,
                "first": self._numbered,
                "slots": slots,
                "overdue_slots": overdue_slots,
                "lease": self.conf.lease,
                "iso_now": utcformat(now),
                "levels": [
                    {"name": level.value, "overdue": self._overdue(level, now)}
                    for level in self.levels
                ],
            }
        )

    def _overdue(self, level: Level, now: datetime) -> str | bool:
        wait = self.conf.max_wait.get(level)
        return utcformat(datetime.fromtimestamp(now.timestamp() - wait, UTC)) if wait else False

    async def _return_orphans(self) -> None:
        """An answer may have been lost after the server gave jobs out: those are not ours to keep."""
        # Executions are numbered by claims; those of a lost answer would be given out twice.
        self._numbered += CLAIM_AT_ONCE
        known = dict.fromkeys(self.runs, True)
        call = {"worker": self.name, "levels": list(Level), "known": known}
        with suppress(redis.RedisError, OSError):
            await scripts.arun(self._claims, "orphans", msgspec.msgpack.encode(call))

    # Running

    def _start(self, run: Run) -> None:
        self.runs[run.execution] = run
        if run.id in self._stops:
            run.stop_reason = "cancelled"
        try:
            run.prepare()
            running.refuse_expired(run.expires_at)
        except Exception as error:  # noqa: BLE001
            self._close(run, outcomes.failure(run, error))
            return
        if run.stop_reason:
            self._close(run, outcomes.stopped(run, asyncio.CancelledError()))
            return
        context = contextvars.copy_context()
        context.run(self._enter, run)
        self._execute(run, context)

    def _enter(self, run: Run) -> None:
        self._database.enter()
        progress.current_job.set(run.id)
        meta = run.meta
        carried = {"request_id": meta.request_id, "correlation_id": meta.correlation_id}
        structlog.contextvars.bind_contextvars(
            task_id=run.id, **{key: value for key, value in carried.items() if value}
        )
        if run.task is not None:
            task_started.send(type(run.task.get_backend()), task_result=run.result)

    def _execute(self, run: Run, context: contextvars.Context) -> None:
        if run.task is None or run.options is None:
            return
        if run.options.isolated or run.deliveries >= self.conf.max_deliveries - 1:
            coroutine = self._in_child(run)
        elif iscoroutinefunction(run.task.func):
            coroutine = self._on_loop(run)
        else:
            self._threads.submit(run, context)
            return
        run.handle = asyncio.Task(coroutine, loop=self._loop, context=context, eager_start=True)

    async def _on_loop(self, run: Run) -> None:
        if run.task is None or run.result is None:
            return
        try:
            arguments = running.arguments(run.task, run.result)
            op = outcomes.success(run, await run.task.func(*arguments, **run.result.kwargs))
        except asyncio.CancelledError as error:
            op = outcomes.stopped(run, error)
        except BaseException as error:  # noqa: BLE001
            op = outcomes.failure(run, error)
        self._close(run, op)

    async def _in_child(self, run: Run) -> None:
        try:
            op = outcomes.success(
                run, await self._loop.run_in_executor(self._children.pool, self._children.run, run)
            )
        except ChildRaised as error:
            op = outcomes.failure_in_child(run, error)
        except ChildDied as error:
            if run.stop_reason:
                op = outcomes.stopped(run, error)
            elif run.deliveries >= self.conf.max_deliveries - 1:
                op = outcomes.parked(run)
            else:
                op = outcomes.failure(run, error)
        except BaseException as error:  # noqa: BLE001
            op = outcomes.stopped(run, error) if run.stop_reason else outcomes.failure(run, error)
        self._close(run, op)

    def _call(self, run: Run) -> Any:
        """In a thread."""
        if run.stop_reason:
            raise TaskCancelled("Stopped before it began.")
        if run.task is None or run.result is None:
            return None
        return run.task.func(*running.arguments(run.task, run.result), **run.result.kwargs)

    def _thread_ended(self, run: Run, value: Any, error: BaseException | None) -> None:
        if error is None:
            try:
                op = outcomes.success(run, value)
            except Exception as unfit:  # noqa: BLE001
                op = outcomes.failure(run, unfit)
        elif run.stop_reason:
            op = outcomes.stopped(run, error)
        else:
            op = outcomes.failure(run, error)
        self._close(run, op)
        self._changed.set()

    # Ending

    def _close(self, run: Run, op: dict[str, Any]) -> None:
        if run.closed:
            return
        run.closed = True
        self.runs.pop(run.execution, None)
        self._stops.pop(run.id, None)
        run.handle = None
        self._finisher.add(run, op)
        self._changed.set()

    def _acknowledged(self, run: Run, answer: int) -> None:
        if answer == FENCED:
            logger.warning("run_fenced", task=run.name, task_id=run.id, attempt=run.attempt)
            return
        if run.kind == "back":
            return
        self.ended += 1
        if run.kind != "retry" and run.result is not None and run.task is not None:
            _announce_end(run)
        self._hooks.ended(run)
        if run.kind == "park":
            self._hooks.parked(run)
        if answer == FOLLOW_UP:
            self._hooks.follow_up(run)

    # Stopping

    def _cancel(self, job_id: str) -> None:
        self._stops = {key: at for key, at in self._stops.items() if at > time.monotonic() - 30}
        self._stops[job_id] = time.monotonic()
        for run in list(self.runs.values()):
            if run.id == job_id:
                self._halt(run, "cancelled")

    def _lost(self, execution: str) -> None:
        run = self.runs.get(execution)
        if run is not None:
            self._halt(run, "lost")

    def _halt(self, run: Run, reason: StopReason) -> None:
        """Asks the run to stop; asked again, it insists."""
        if run.stop_reason is None:
            run.stop_reason = reason
        run.stop_at = time.monotonic()
        if self._children.kill(run) or self._threads.interrupt(run):
            return
        if run.handle is not None and not run.handle.done():
            run.handle.cancel(reason)

    async def _watch(self) -> None:
        """Stops what runs longer than its timeout, and asks again what did not stop."""
        while True:
            await asyncio.sleep(0.1)
            self.tick = time.monotonic()
            now = time.time()
            for run in list(self.runs.values()):
                if run.stop_reason is None and now - run.started > run.timeout:
                    self._halt(run, "timeout")
                elif run.stop_reason and time.monotonic() - run.stop_at > 5:
                    self._halt(run, run.stop_reason)
            self._database.tidy(idle=not self.runs)

    async def _wind_down(self) -> None:
        self.stopping = True
        await self._wait_for_runs(self.conf.grace)
        if not self.runs:
            return
        logger.info("handing_back", jobs=len(self.runs))
        for run in list(self.runs.values()):
            self._halt(run, "preempted")
        await self._wait_for_runs(UNWIND, hurried=True)
        self.left_behind = bool(self.runs)
        for run in list(self.runs.values()):
            self._close(run, outcomes.handed_back(run))

    async def _wait_for_runs(self, seconds: float, *, hurried: bool = False) -> None:
        until = time.monotonic() + seconds
        while self.runs and time.monotonic() < until:
            if self._hurry.is_set() and not hurried:
                return
            self._changed.clear()
            await self._sleep(0.05)


def _announce_end(run: Run) -> None:
    if run.task is not None and run.result is not None:
        if run.result.status == TaskResultStatus.RUNNING:
            return
        task_finished.send(type(run.task.get_backend()), task_result=run.result)
