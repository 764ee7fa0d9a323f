"""Tells Django's task signals about runs; a receiver that raises is logged and harms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from typing import Any

import structlog
from django.db import connections
from django.dispatch import Signal

from performance.queues.signals import task_parked
from performance.queues.worker.run import Run

logger = structlog.get_logger(__name__)

_telling: set[asyncio.Task[None]] = set()
"""The loop alone would let them be collected before they are done."""


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
    loop = _loop_for(signal)
    if loop is None:
        _log_failures(run, signal.send_robust(sender, **arguments))
        return
    # The result goes on changing; what is told is how it is now.
    now = {name: copy(value) for name, value in arguments.items()}
    telling = loop.create_task(_asend(signal, sender, run, now))
    _telling.add(telling)
    telling.add_done_callback(_telling.discard)


def _loop_for(signal: Signal) -> asyncio.AbstractEventLoop | None:
    """The loop of this thread, where a receiver is a coroutine, which a plain send cannot await."""
    if not any(is_coroutine for *_, is_coroutine in signal.receivers):
        return None
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None


async def _asend(signal: Signal, sender: type[Any], run: Run, arguments: dict[str, Any]) -> None:
    _log_failures(run, await signal.asend_robust(sender, **arguments))


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
