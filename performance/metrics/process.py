"""This process's buffer and flusher: made at the first event, made anew in a fork's child."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from django.core.signals import setting_changed

from performance import conf
from performance.metrics.buffer import Buffer
from performance.metrics.flusher import Flusher

logger = logging.getLogger("performance.metrics")


class _Here:
    """`buffer` is None until the first event, and for good where metrics are off."""

    def __init__(self) -> None:
        self.buffer: Buffer | None = None
        self.flusher: Flusher | None = None
        self.is_set_up = False
        self.lock = threading.Lock()

    def set_up(self) -> Buffer | None:
        with self.lock:
            if not self.is_set_up:
                settings = conf.current().metrics
                if settings.enabled and settings.location:
                    self.buffer = Buffer(settings.most_events)
                    self.flusher = Flusher(self.buffer, settings)
                    self.flusher.start()
                self.is_set_up = True
        return self.buffer


_here = _Here()


def record(do: Callable[..., None], *arguments: Any) -> None:
    """Leaves an event: the flusher calls `do` with its Recording and the arguments. Never raises."""
    buffer = _here.buffer
    if buffer is not None:
        buffer.add((do, arguments))
    elif not _here.is_set_up:
        _first((do, arguments))


def _first(event: tuple[Callable[..., None], tuple[Any, ...]]) -> None:
    try:
        buffer = _here.set_up()
    except Exception:  # such as: no more threads
        logger.exception("Metrics did not start.")
        return
    if buffer is not None:
        buffer.add(event)


def flush(*, last: bool = False) -> bool:
    """Sends what was recorded. False where Redis does not take it; it is then kept and sent later.

    `last`: the process ends. Its Redis may have gone before it, as the embedded one does at the end
    of a command, which is nothing to tell of.
    """
    flusher = _here.flusher
    return flusher is None or flusher.flush(last=last)


def forget() -> None:
    """Starts over: what was recorded and not sent is gone."""
    global _here
    if _here.flusher is not None:
        _here.flusher.stop()
    _here = _Here()


def _in_child() -> None:
    # The parent sends its own events; its thread and its locks did not come along.
    global _here
    _here = _Here()


def _at_exit() -> None:
    try:
        flush(last=True)
    except Exception:
        logger.exception("The last metrics were not flushed.")


def _changed(*, setting: str, **_kwargs: Any) -> None:
    if setting == "PERFORMANCE":
        forget()


os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
setting_changed.connect(_changed, dispatch_uid="performance.metrics.process")
