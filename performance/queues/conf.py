"""OPTIONS of the task backend, read once into one frozen object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.tasks import task_backends

from performance.queues.levels import Level


def _lengths() -> dict[Level, int]:
    return {Level.HIGH: 100_000, Level.NORMAL: 100_000, Level.LOW: 50_000}


def _waits() -> dict[Level, float]:
    return {Level.URGENT: 5, Level.HIGH: 15, Level.NORMAL: 60, Level.LOW: 300}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """Settings of queues and workers; times in seconds, sizes in MB, all optional.

    max_length: most waiting jobs per level; a level without an entry is unbounded.
    shed: full levels that drop their oldest job rather than refuse the new one.
    max_wait: after this long a level's head is served although better levels have work.
    keep_runs: days after which the rows of task runs are deleted.
    lease: how long a worker that says nothing keeps its jobs; recovery takes at most 4/3 of it.
    """

    enqueue_on_commit: bool = True
    max_length: Mapping[Level, int] = field(default_factory=_lengths)
    shed: frozenset[Level] = frozenset()
    max_wait: Mapping[Level, float] = field(default_factory=_waits)
    concurrency: int = 100
    threads: int = 16
    database_threads: int = 4
    children: int = 2
    lease: float = 15
    grace: float = 20
    max_deliveries: int = 3
    max_jobs: int = 0
    max_memory: int = 0
    record_runs: bool = True
    keep_runs: int = 14


_LEAST = {
    "concurrency": 1,
    "threads": 1,
    "database_threads": 1,
    "children": 1,
    "lease": 1,
    "grace": 0,
    "max_deliveries": 1,
    "max_jobs": 0,
    "max_memory": 0,
    "keep_runs": 0,
}


def unknown_keys(options: Mapping[str, Any]) -> list[str]:
    """Keys of OPTIONS that mean nothing, for the system check."""
    known = {item.name.upper() for item in fields(QueueOptions)}
    return sorted(set(options) - known)


def read(options: Mapping[str, Any]) -> QueueOptions:
    """OPTIONS (upper-case keys) as QueueOptions. Raises ImproperlyConfigured on a wrong value."""
    known = {item.name for item in fields(QueueOptions)}
    values = {key.lower(): value for key, value in options.items() if key.lower() in known}
    try:
        for key in ("max_length", "max_wait"):
            if key in values:
                values[key] = {Level(level): number for level, number in values[key].items()}
        if "shed" in values:
            values["shed"] = frozenset(Level(level) for level in values["shed"])
    except ValueError as error:
        raise ImproperlyConfigured(f"TASKS OPTIONS: {error}.") from None
    for key in _LEAST.keys() & values.keys():
        _refuse_below(key, values[key], _LEAST[key])
    return QueueOptions(**values)


def _refuse_below(key: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        raise ImproperlyConfigured(
            f"TASKS OPTIONS: {key.upper()} is {value!r}; it must be a number of {least} or more."
        )


def of_default_backend() -> QueueOptions:
    """The options of the default task backend, whatever its class."""
    found: QueueOptions = read(getattr(task_backends["default"], "options", {}))
    return found


def changed(options: QueueOptions, **values: Any) -> QueueOptions:
    """The same options with some values replaced; None replaces nothing.

    Raises ImproperlyConfigured on a wrong value.
    """
    given = {key: value for key, value in values.items() if value is not None}
    for key in _LEAST.keys() & given.keys():
        _refuse_below(key, given[key], _LEAST[key])
    return replace(options, **given)
