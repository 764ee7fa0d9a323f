"""Running claimed jobs: coroutines on the loop, sync tasks on threads, isolated ones in children."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.tasks.signals import task_started

from performance.queues import progress, running
from performance.queues.conf import QueueOptions
from performance.queues.exceptions import TaskCancelled
from performance.queues.submission import CARRIED
from performance.queues.worker import outcomes
from performance.queues.worker.children import ChildDied, ChildRaised, Children
from performance.queues.worker.database import DatabaseThreads
from performance.queues.worker.run import Run, StopReason
from performance.queues.worker.telling import tell
from performance.queues.worker.threads import Threads

Op = dict[str, Any]
Ended = Callable[[Run, Op], None]


class Execution:
    """`start` begins a run, `ended(run, op)` is called on the loop when it is over."""

    def __init__(self, conf: QueueOptions, loop: asyncio.AbstractEventLoop, ended: Ended) -> None:
        self._loop = loop
        self._ended = ended
        self._last_try = conf.max_deliveries - 1
        self._threads = Threads(conf.threads, self._call, self._thread_ended, loop)
        self._children = Children(conf.children)
        self._database = DatabaseThreads(conf.database_threads)

    @property
    def congested(self) -> bool:
        """So many tasks wait for a thread or a child that no more jobs should be claimed."""
        return (
            self._threads.busy >= 2 * self._threads.size
            or self._children.busy >= 2 * self._children.size
        )

    def start(self, run: Run) -> None:
        """Begins the run; one that cannot begin ends at once."""
        try:
            run.prepare()
            running.refuse_expired(run.expires_at)
        except Exception as error:  # noqa: BLE001
            self._ended(run, outcomes.failure(run, error))
            return
        if run.stop_reason:
            self._ended(run, outcomes.stopped(run, asyncio.CancelledError()))
            return
        context = contextvars.copy_context()
        context.run(self._enter, run)
        self._execute(run, context)

    def halt(self, run: Run, reason: StopReason) -> None:
        """Asks the run to stop; asked again, it insists."""
        run.stop_reason = run.stop_reason or reason
        run.stop_at = time.monotonic()
        if self._children.kill(run) or self._threads.interrupt(run):
            return
        if run.handle is not None and not run.handle.done():
            run.handle.cancel(reason)

    def tidy(self, *, idle: bool) -> None:
        """Closes database connections that are broken, or when idle too old."""
        self._database.tidy(idle=idle)

    def close(self) -> None:
        """Ends idle threads, all children and the database's threads."""
        self._threads.close()
        self._children.close()
        self._database.close()

    def _enter(self, run: Run) -> None:
        """In the run's own context."""
        self._database.enter()
        progress.current_job.set(run.id)
        meta = run.meta
        carried = {key: getattr(meta, key) for key in CARRIED}
        structlog.contextvars.bind_contextvars(
            task_id=run.id, **{key: value for key, value in carried.items() if value}
        )
        tell(task_started, run)

    def _execute(self, run: Run, context: contextvars.Context) -> None:
        if run.task is None or run.options is None:
            return
        if run.options.isolated or run.deliveries >= self._last_try:
            coroutine = self._in_child(run)
        elif run.declared and run.declared.is_coroutine:
            coroutine = self._on_loop(run)
        else:
            self._threads.submit(run, context)
            return
        run.handle = asyncio.Task(coroutine, loop=self._loop, context=context, eager_start=True)

    async def _on_loop(self, run: Run) -> None:
        if run.task is None or run.result is None:
            return
        try:
            run.begin()
            arguments = running.arguments(run.task, run.result)
            op = outcomes.success(run, await run.task.func(*arguments, **run.result.kwargs))
        except asyncio.CancelledError as error:
            op = outcomes.stopped(run, error)
        except BaseException as error:  # noqa: BLE001
            op = outcomes.failure(run, error)
        self._ended(run, op)

    async def _in_child(self, run: Run) -> None:
        self._children.busy += 1
        try:
            value = await self._loop.run_in_executor(self._children.pool, self._children.run, run)
            op = outcomes.success(run, value)
        except ChildRaised as error:
            op = outcomes.failure_in_child(run, error)
        except BaseException as error:  # noqa: BLE001
            op = self._child_failed(run, error)
        finally:
            self._children.busy -= 1
        self._ended(run, op)

    def _child_failed(self, run: Run, error: BaseException) -> Op:
        if run.stop_reason:
            return outcomes.stopped(run, error)
        if isinstance(error, ChildDied) and run.deliveries >= self._last_try:
            return outcomes.parked(run)
        return outcomes.failure(run, error)

    def _call(self, run: Run) -> Any:
        """In a thread."""
        if run.stop_reason:
            raise TaskCancelled("Stopped before it began.")
        if run.task is None or run.result is None:
            return None
        run.begin()
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
        self._ended(run, op)
