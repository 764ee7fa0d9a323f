"""Tasks: the worker tells once a second which runs ended; nothing is added to a job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from performance.metrics import count, observe
from performance.signals import task_parked, tasks_measured

Runs = Iterable[tuple[str, str, str, float, float]]


def connect() -> None:
    tasks_measured.connect(_measured, dispatch_uid="performance.metrics.tasks")
    task_parked.connect(_parked, dispatch_uid="performance.metrics.tasks")


def _measured(*, runs: Runs, **_kwargs: Any) -> None:
    for task, level, status, waited, ran in runs:
        observe("task_seconds", ran, task=task, level=level, status=status)
        observe("task_wait_seconds", waited, task=task, level=level)


def _parked(*, level: str, **_kwargs: Any) -> None:
    count("tasks_parked", level=level)
