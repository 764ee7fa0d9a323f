"""Tells Django's task signals about runs; a receiver that raises is logged and harms nothing.

Runs begin and end on the worker's loop, where the ORM refuses to work and whatever waits holds up every
other task. So receivers are called on a thread, but for those marked performance.signals.on_loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from copy import copy
from typing import Any

import structlog
from django.db import close_old_connections, connections
from django.dispatch import Signal

from performance.queues.signals import task_parked
from performance.queues.worker.run import Run

logger = structlog.get_logger(__name__)

_telling: set[asyncio.Task[None]] = set()
"""The loop alone would let them be collected before they are done."""

# One, so that whoever hears of an end has heard of the beginning.
_thread = ThreadPoolExecutor(1, thread_name_prefix="task-receivers")
_waiting: deque[None] = (
    deque()
)  # one for each call that has not ended; appending and popping are atomic
MOST_WAITING = 10_000
"""Calls of receivers that wait for that thread; what is beyond is logged, not kept."""


def tell(signal: Signal, run: Run) -> None:
    """Sends `signal` with the run's result, if it has one."""
    if run.declared is not None and run.result is not None:
        _send(signal, run.declared.sender, run, task_result=run.result)


def tell_parked(sender: type[Any], run: Run) -> None:
    """Sends task_parked; for a thread of its own, whose database connections it gives back."""
    _send(
        task_parked,
        sender,
        run,
        task=run.name,
        task_id=run.id,
        level=run.level,
        worker=run.worker,
        deliveries=run.deliveries + 1,
    )
    connections.close_all()


def _send(signal: Signal, sender: type[Any], run: Run, **arguments: Any) -> None:
    loop = _running_loop()
    if loop is None:  # a thread, where receivers may do what they like
        _log_failures(run, signal.send_robust(sender, **arguments))
        return
    functions, coroutines = signal._live_receivers(sender)  # noqa: SLF001 - send() cannot part them
    elsewhere = [receiver for receiver in functions if not _may_run_here(receiver)]
    here = [receiver for receiver in functions if _may_run_here(receiver)]
    told = {"signal": signal, "sender": sender, **arguments}
    _log_failures(run, [(receiver, _answer(receiver, told)) for receiver in here])
    if elsewhere or coroutines:
        # The result goes on changing; what is told is how it is now.
        told |= {name: copy(value) for name, value in arguments.items()}
        _tell_elsewhere(elsewhere, run, told)
        for receiver in coroutines:
            telling = loop.create_task(_await(receiver, run, told))
            _telling.add(telling)
            telling.add_done_callback(_telling.discard)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None


def _may_run_here(receiver: Any) -> bool:
    """Those that say so, and Django's own, which log."""
    return getattr(receiver, "on_loop", False) or receiver.__module__ == "django.tasks.signals"


def _answer(receiver: Any, told: dict[str, Any]) -> Any:
    """What it returns, or the exception that it raised."""
    try:
        return receiver(**told)
    except Exception as error:  # noqa: BLE001
        return error


def _tell_elsewhere(receivers: list[Any], run: Run, told: dict[str, Any]) -> None:
    if not receivers:
        return
    if len(_waiting) >= MOST_WAITING:
        logger.error("task_receivers_too_slow", task=run.name, task_id=run.id)
        return
    _waiting.append(None)
    _thread.submit(copy_context().run, _in_thread, receivers, run, told)


def _in_thread(receivers: list[Any], run: Run, told: dict[str, Any]) -> None:
    close_old_connections()
    try:
        _log_failures(run, [(receiver, _answer(receiver, told)) for receiver in receivers])
    finally:
        _waiting.pop()
        close_old_connections()


async def _await(receiver: Any, run: Run, told: dict[str, Any]) -> None:
    try:
        await receiver(**told)
    except Exception as error:  # noqa: BLE001
        _log_failures(run, [(receiver, error)])


def _log_failures(run: Run, answers: Iterable[tuple[Any, Any]]) -> None:
    for receiver, answer in answers:
        if isinstance(answer, Exception):
            logger.error(
                "task_receiver_failed",
                receiver=getattr(receiver, "__qualname__", repr(receiver)),
                task=run.name,
                task_id=run.id,
                exc_info=answer,
            )
