"""Which coroutine waits for the ORM call on this thread: its line is the one that ran the statement.

`await queryset.afirst()` runs on a thread whose stack begins in asgiref. The thread's link back is the
list `task_context`, a local of the waiting SyncToAsync.__call__; while it waits, its frames stand still.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from asgiref.sync import SyncToAsync

DEEPEST = 100
MOST_TASKS = 5000
_ASKS = SyncToAsync.__call__.__code__


def frame_of(is_ours: Callable[[CodeType], bool]) -> FrameType | None:
    """The innermost frame that `is_ours` of the coroutine that waits for this thread, or None."""
    mark = getattr(SyncToAsync.threadlocal, "task_context", None)
    loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    if mark is None or loop is None:
        return None
    try:
        tasks = asyncio.all_tasks(loop)
    except RuntimeError:  # they changed too fast to be counted
        return None
    for task in list(tasks)[:MOST_TASKS]:
        frames = _frames(task.get_coro())
        if (
            frames
            and frames[-1].f_code is _ASKS
            and frames[-1].f_locals.get("task_context") is mark
        ):
            return next((frame for frame in reversed(frames) if is_ours(frame.f_code)), None)
    return None


def _frames(waits: Any) -> list[FrameType]:
    """The frames of a chain of coroutines and generators that wait for one another, outermost first."""
    frames: list[FrameType] = []
    for _ in range(DEEPEST):
        if inspect.iscoroutine(waits):
            frame, waits = waits.cr_frame, waits.cr_await
        elif inspect.isasyncgen(waits):
            frame, waits = waits.ag_frame, waits.ag_await
        elif inspect.isgenerator(waits):
            frame, waits = waits.gi_frame, waits.gi_yieldfrom
        else:
            waits = _behind(waits)
            if waits is None:
                break
            continue
        if frame is None:
            break
        frames.append(frame)
        if frame.f_code is _ASKS:
            break
    return frames


def _behind(waits: Any) -> Any:
    """What an `anext()` or a wrapped coroutine stands for; these say so to the collector alone."""
    if waits is None or isinstance(waits, asyncio.Future):
        return None
    found = gc.get_referents(waits)
    return next((x for x in found if inspect.isasyncgen(x) or inspect.iscoroutine(x)), None)
