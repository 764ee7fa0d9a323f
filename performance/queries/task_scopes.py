"""A scope for each run of a task, from Django's own signals: any task backend that sends them will do.

`task_started` is sent in the context that the task runs in, so the scope is seen by it and by what it
starts. `task_finished` may come from elsewhere, later: the scope is found by the result's id.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from django.tasks.signals import task_finished, task_started

from performance import conf
from performance.queries import ended, log, scope
from performance.signals import child_ended, child_started, on_loop

MOST_OPEN = 10_000
"""Runs whose end was never told are closed from here on, oldest first."""

_open: OrderedDict[str, tuple[scope.Scope, scope.Scope | None]] = OrderedDict()


def connect() -> None:
    """Listens to the signals of tasks."""
    for signal in (task_started, child_started):
        signal.connect(_started, dispatch_uid="performance.queries")
    task_finished.connect(_finished, dispatch_uid="performance.queries")
    child_ended.connect(_child_ended, dispatch_uid="performance.queries")


@on_loop
def _started(*, task_result: Any, **_kwargs: Any) -> None:
    _end(task_result.id)  # of an attempt that was not the last
    if not conf.current().queries.enabled:  # staff have turned it off for now
        return
    before = scope.current()
    seen = scope.Scope("task", task_result.task.module_path, before)
    scope.enter(seen)
    if seen.logged:
        ended.follow(seen)
    _open[task_result.id] = (seen, before)
    while len(_open) > MOST_OPEN:
        _end(next(iter(_open)))


@on_loop
def _finished(*, task_result: Any, **_kwargs: Any) -> None:
    _end(task_result.id)


def _child_ended(*, task_result: Any, **_kwargs: Any) -> None:
    """The child process ends without further ado."""
    _end(task_result.id)
    log.send(last=True)


def _end(result_id: str) -> None:
    seen, before = _open.pop(result_id, (None, None))
    if seen is None:
        return
    if scope.current() is seen:
        scope.enter(before)
    seen.close()
