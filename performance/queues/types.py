"""Names for Django's generic task classes, which take no type arguments at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.tasks.base import Task, TaskResult

if TYPE_CHECKING:
    AnyTask = Task[..., Any]
    AnyResult = TaskResult[..., Any]
else:
    AnyTask = Task
    AnyResult = TaskResult
