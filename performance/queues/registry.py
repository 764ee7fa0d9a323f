"""The tasks that may run: a job names one of these or is refused. Nothing else is ever called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Unpack, overload

from django.apps import apps
from django.tasks import task_backends
from django.tasks.base import DEFAULT_TASK_BACKEND_ALIAS, DEFAULT_TASK_QUEUE_NAME, Task

from performance.queues.exceptions import UnknownTask
from performance.queues.levels import Level
from performance.queues.options import OptionKeywords, TaskOptions, declare
from performance.queues.types import AnyResult, AnyTask

_tasks: dict[str, AnyTask] = {}


@dataclass(frozen=True, kw_only=True)
class RegisteredTask(Task):  # type: ignore[type-arg]
    """Django's Task, remembered under its path when it is declared."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _tasks.setdefault(self.module_path, self)


@overload
def task(function: Callable[..., Any], /) -> AnyTask: ...
@overload
def task(
    *,
    level: Level = ...,
    takes_context: bool = ...,
    backend: str = ...,
    **options: Unpack[OptionKeywords],
) -> Callable[[Callable[..., Any]], AnyTask]: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    level: Level = Level.NORMAL,
    takes_context: bool = False,
    backend: str = DEFAULT_TASK_BACKEND_ALIAS,
    **options: Unpack[OptionKeywords],
) -> AnyTask | Callable[[Callable[..., Any]], AnyTask]:
    """Django's `@task` with a level and TaskOptions; works with any task backend.

    A backend without priorities (Django's own two for tests) gets the task without them.
    """

    def wrapper(func: Callable[..., Any]) -> AnyTask:
        declare(func, TaskOptions(**options))
        chosen = task_backends[backend]
        declared = chosen.task_class(
            func=func,
            backend=backend,
            queue_name=DEFAULT_TASK_QUEUE_NAME,
            priority=level.priority if chosen.supports_priority else 0,
            run_after=None,
            takes_context=takes_context,
        )
        return _tasks.setdefault(declared.module_path, declared)

    return wrapper(function) if function else wrapper


def enqueue_many(
    task: AnyTask, calls: Iterable[tuple[Sequence[Any], Mapping[str, Any]]]
) -> list[AnyResult]:
    """Enqueues many calls of one task, (args, kwargs) each; here in one round trip.

    Another task backend gets them one by one. Raises as enqueue() does.
    """
    backend = task.get_backend()
    many = getattr(backend, "enqueue_many", None)
    if many is not None:
        found: list[AnyResult] = many(task, calls)
        return found
    return [backend.enqueue(task, list(args), dict(kwargs)) for args, kwargs in calls]


def registered() -> list[AnyTask]:
    """All tasks declared so far in this process."""
    return list(_tasks.values())


def resolve(path: str) -> AnyTask:
    """The registered task at `path` ("app.module.function").

    Imports no module but an installed app's `tasks` and what lies in it. Raises UnknownTask.
    """
    found = _tasks.get(path)
    if found is not None:
        return found
    module = path.rpartition(".")[0]
    declared = getattr(_module(module, path), path.rpartition(".")[2], None)
    if path not in _tasks and isinstance(declared, Task) and declared.module_path == path:
        _tasks[path] = declared
    if path not in _tasks:
        raise UnknownTask(f"{path!r} is not a registered task.")
    return _tasks[path]


def _module(name: str, path: str) -> ModuleType:
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    if not any(_within(name, f"{app.name}.tasks") for app in apps.get_app_configs()):
        raise UnknownTask(f"{path!r} is not a registered task.")
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UnknownTask(f"{path!r} is not a registered task: no such module.") from error


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
