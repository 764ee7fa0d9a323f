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
Task = asyncio.Task[Any]
_ENDS_OF_GROUPS = {"TaskGroup.__aexit__", "TaskGroup._aexit"}  # which of them: Python's version
_ASKS = getattr(SyncToAsync.__call__, "__code__", None)


def frame_of(is_ours: Callable[[CodeType], bool]) -> FrameType | None:
    """The innermost frame that `is_ours` of the coroutine that waits for this thread, or None.

    None, too, where Python or asgiref keep what is looked at here in another place: no line is known then.
    """
    try:
        return _frame_of(is_ours)
    except Exception:  # noqa: BLE001 - private attributes of both
        return None


def _frame_of(is_ours: Callable[[CodeType], bool]) -> FrameType | None:
    mark = getattr(SyncToAsync.threadlocal, "task_context", None)
    loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    if mark is None or loop is None:
        return None
    try:
        tasks = asyncio.all_tasks(loop)
    except RuntimeError:  # they changed too fast to be counted
        return None
    some = list(tasks)[:MOST_TASKS]
    return next((_innermost(task, some, is_ours) for task in some if _asks(task, mark)), None)


def _asks(task: Task, mark: list[Any]) -> bool:
    frames = _frames(task.get_coro())
    return bool(frames) and (
        frames[-1].f_code is _ASKS and frames[-1].f_locals.get("task_context") is mark
    )


def _innermost(
    task: Task, tasks: list[Task], is_ours: Callable[[CodeType], bool]
) -> FrameType | None:
    """The innermost frame that `is_ours` of the task, or of the one that gathers it with others."""
    seen: set[Task] = set()
    waits: Task | None = task
    while waits is not None and waits not in seen:
        seen.add(waits)
        for frame in reversed(_frames(waits.get_coro())):
            if is_ours(frame.f_code):
                return frame
        child = waits
        waits = next((other for other in tasks if _gathers(other, child)), None)
    return None


def _gathers(task: Task, child: Task) -> bool:
    """Whether `task` waits for `child` in asyncio.gather() or at the end of a TaskGroup."""
    if child in (getattr(getattr(task, "_fut_waiter", None), "_children", None) or ()):
        return True
    frames = _frames(task.get_coro())
    if not frames or frames[-1].f_code.co_qualname not in _ENDS_OF_GROUPS:
        return False
    group = frames[-1].f_locals.get("self")
    return child in (getattr(group, "_tasks", None) or ())


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
