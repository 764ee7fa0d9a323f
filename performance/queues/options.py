"""What a task may declare beyond Django's own contract."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

KeyOf = str | Callable[..., str]
"""A template filled from the task's keyword arguments ("{user_id}"), or a function of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and when a failed task is tried again.

    The n-th retry waits `backoff * 2**(n-1)` seconds, at most `longest`, of which a random half is
    jitter. An exception's own `retry_after` attribute (seconds) wins over that. `on` are the
    exceptions that are worth another try, `never` those of them that are not.
    """

    times: int = 3
    backoff: float = 1.0
    longest: float = 300.0
    on: tuple[type[BaseException], ...] = (Exception,)
    never: tuple[type[BaseException], ...] = ()

    def delay(self, error: BaseException, failures: int) -> float | None:
        """Seconds until the next try after `failures` failed ones (1 or more); None: no more."""
        if failures > self.times or not isinstance(error, self.on) or isinstance(error, self.never):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, int | float) and asked >= 0:
            return min(float(asked), self.longest)
        full = min(self.longest, self.backoff * 2.0 ** (failures - 1))
        return full / 2 + random.uniform(0, full / 2)  # noqa: S311


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """At most one job per key: while it waits, or until it has finished.

    `on_duplicate`: "drop" keeps the older job and answers with it, "replace" keeps the newer: an
    older one that waits is cancelled, one that runs is told to stop, and may end beside the newer.
    """

    key: KeyOf = ""
    until: Literal["started", "finished"] = "started"
    on_duplicate: Literal["drop", "replace"] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotent:
    """A second enqueue with the same key within `keep` seconds answers with the first job."""

    key: KeyOf
    keep: int = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many jobs of this task with the same key run at once, and how many start in a period.

    `rate` reads "10/s", "100/m", "1000/h" or "10000/d"; jobs above it wait, none is refused.
    """

    key: KeyOf = ""
    concurrency: int | None = None
    rate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a periodic task runs: every so many seconds, or a cron line in a time zone."""

    every: float | None = None
    cron: str | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Everything a task declares to this backend; times in seconds.

    timeout: it is stopped after this long. ttl: it is not run after waiting this long.
    durable: True keeps a row until Redis has the job; "caller" says that the caller's own row and
    sweeper do that, so that a Redis that is away at the commit is only logged.
    isolated: it runs in a child process. record: each run is a TaskRun row, with `who` and `about`
    filled like keys and the keyword arguments named in `safe_arguments`.
    """

    timeout: float = 600
    ttl: float | None = None
    result_ttl: int = 500
    failure_ttl: int = 30 * 24 * 3600
    retry: Retry = field(default_factory=lambda: Retry(times=0))
    unique: Unique | None = None
    idempotent: Idempotent | None = None
    limit: Limit | None = None
    durable: bool | Literal["caller"] = False
    isolated: bool = False
    safe_arguments: tuple[str, ...] = ()
    record: bool = True
    who: KeyOf = ""
    about: KeyOf = ""
    schedule: Schedule | None = None


class OptionKeywords(TypedDict, total=False):
    """TaskOptions as keyword arguments of `@task`."""

    timeout: float
    ttl: float | None
    result_ttl: int
    failure_ttl: int
    retry: Retry
    unique: Unique | None
    idempotent: Idempotent | None
    limit: Limit | None
    durable: bool | Literal["caller"]
    isolated: bool
    safe_arguments: tuple[str, ...]
    record: bool
    who: KeyOf
    about: KeyOf
    schedule: Schedule | None


DEFAULT_OPTIONS = TaskOptions()
_ATTRIBUTE = "__task_options__"


def declare(func: Callable[..., Any], options: TaskOptions) -> None:
    """Ties `options` to the function; they then hold under any task backend."""
    setattr(func, _ATTRIBUTE, options)


def options_of(func: Callable[..., Any]) -> TaskOptions:
    """What was declared for the function, or the defaults (a task of another library)."""
    found = getattr(func, _ATTRIBUTE, DEFAULT_OPTIONS)
    return found if isinstance(found, TaskOptions) else DEFAULT_OPTIONS


def key_for(key: KeyOf, args: list[Any], kwargs: dict[str, Any]) -> str:
    """The key of one call. Raises ValueError when the template names an argument not given by name."""
    if callable(key):
        return key(*args, **kwargs)
    try:
        return key.format(**kwargs)
    except (KeyError, IndexError) as error:
        raise ValueError(f"The key {key!r} needs the keyword argument {error}.") from None
