"""What a task may declare beyond Django's own contract."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]

from performance.queues.exceptions import TaskExpired

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

    def __post_init__(self) -> None:
        for name in ("times", "backoff", "longest"):
            _refuse_unless(getattr(self, name) >= 0, self, name, "0 or more")

    def delay(self, error: BaseException, failures: int) -> float | None:
        """Seconds until the next try after `failures` failed ones (1 or more); None: no more.

        What has waited too long to be begun is not tried again, whatever `on` says.
        """
        never = (*self.never, TaskExpired)
        if failures > self.times or not isinstance(error, self.on) or isinstance(error, never):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, int | float) and asked >= 0:
            return min(float(asked), self.longest)
        # Nobody waits 2**64 seconds, and from 2**1024 on there is no such number.
        full = min(self.longest, self.backoff * 2.0 ** min(failures - 1, 64))
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

    def __post_init__(self) -> None:
        whole = isinstance(self.keep, int)
        _refuse_unless(whole and self.keep >= 1, self, "keep", "1 second or more, in whole seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many jobs of this task with the same key run at once, and how many start in a period.

    `rate` reads "10/s", "100/m", "1000/h" or "10000/d"; jobs above it wait, none is refused.
    """

    key: KeyOf = ""
    concurrency: int | None = None
    rate: str | None = None

    def __post_init__(self) -> None:
        least = self.concurrency is None or self.concurrency >= 1
        _refuse_unless(least, self, "concurrency", "1 or more")
        if self.rate is not None:
            interval_of(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a periodic task runs: every so many seconds, or a cron line in a time zone."""

    every: float | None = None
    cron: str | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        one = (self.every is None) != (self.cron is None)
        _refuse_unless(one, self, "every", "given where `cron` is not, and only there")
        _refuse_unless(self.every is None or self.every > 0, self, "every", "more than 0 seconds")
        right = self.cron is None or _is_cron(self.cron)
        _refuse_unless(right, self, "cron", "a cron line like '0 3 * * *', with a time to come")
        _refuse_unless(_is_time_zone(self.time_zone), self, "time_zone", "like 'Europe/Berlin'")


def _is_cron(line: str) -> bool:
    try:
        croniter(line).get_next()
    except ValueError:
        return False
    return True


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Everything a task declares to this backend; times in seconds.

    timeout: it is stopped after this long. ttl: from then on it is not begun, nor tried again.
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

    def __post_init__(self) -> None:
        _refuse_unless(self.timeout > 0, self, "timeout", "more than 0 seconds")
        _refuse_unless(self.ttl is None or self.ttl > 0, self, "ttl", "more than 0 seconds")


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


def interval_of(rate: str) -> float:
    """Seconds between two starts at `rate` ("100/m"). Raises ValueError."""
    number, _, period = rate.partition("/")
    seconds = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}.get(period)
    if seconds is None or not (number.isascii() and number.isdigit() and int(number)):
        raise ValueError(f"A rate reads like '100/m' (s, m, h, d), not {rate!r}.")
    return seconds / int(number)


def _refuse_unless(fits: bool, options: object, name: str, wanted: str) -> None:
    if not fits:
        value = getattr(options, name)
        raise ValueError(f"{type(options).__name__}: {name} is {value!r}; it must be {wanted}.")


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
