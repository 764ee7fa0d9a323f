"""Tasks that tests enqueue; they note what they do in a Redis list called "history"."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any, Self

import structlog
from django.tasks import TaskContext
from django.tasks import task as django_task

from performance.queues import (
    Idempotent,
    Level,
    Limit,
    Retry,
    Schedule,
    Unique,
    connection,
    report_progress,
    schedule,
    task,
)


def only_own_schedules() -> None:
    """The site's periodic tasks want its tables, and would be counted among the tests' jobs."""
    everything = schedule.scheduled_tasks
    schedule.scheduled_tasks = lambda: (
        entry for entry in everything() if entry[0].module_path.startswith("tests.")
    )


if "QUEUE_OPTIONS" in os.environ:  # a worker process of the tests
    only_own_schedules()


def note(text: str) -> None:
    connection.client().rpush("history", text)


@django_task
def add(a: int, b: int) -> int:
    return a + b


@django_task
async def add_later(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@django_task
def keep(value: Any) -> Any:
    return value


@django_task
def unfit() -> object:
    return object()


@task
def effect(name: str) -> None:
    note(name)


@task
async def effect_later(name: str, seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
    note(name)


class Gate:
    """Keeps tasks of workers in this process until it is opened; `held` are their names."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.is_open = False


gate = Gate()


@task
async def effect_behind_a_gate(name: str) -> None:
    gate.held.add(name)
    while not gate.is_open:
        await asyncio.sleep(0.1)
    note(name)


@django_task(takes_context=True)
def attempt(context: TaskContext) -> list[object]:
    return [context.attempt, context.task_result.id]


@task
def log_context() -> dict[str, Any]:
    return structlog.contextvars.get_contextvars()


@task
async def log_context_later() -> dict[str, Any]:
    return structlog.contextvars.get_contextvars()


@task
def fail(message: str) -> None:
    raise ValueError(message)


@task(retry=Retry(times=2, backoff=0.01, on=(ValueError,)), takes_context=True)
def fail_twice(context: TaskContext) -> int:
    if context.attempt < 3:
        raise ValueError("not yet")
    return context.attempt


@task(retry=Retry(times=5, backoff=0.01, on=(ValueError,), never=(UnicodeError,)))
async def fail_for_good() -> None:
    raise UnicodeError("never again")


@task
async def sleep(seconds: float) -> str:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError as error:
        note(f"cancelled {error.args[0]}")
        raise
    return "slept"


@task
def spin(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.005)
    note("spun")


@task(isolated=True)
def pid() -> int:
    return os.getpid()


@task(isolated=True)
def spin_isolated(seconds: float) -> None:
    spin.func(seconds)


@task(isolated=True)
def fail_isolated() -> None:
    raise LookupError("in the child")


@task(isolated=True)
def die_isolated() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@task(timeout=0.5)
async def overrun() -> None:
    await asyncio.sleep(60)


@task(timeout=0.5)
def overrun_in_thread() -> None:
    spin.func(60)


@task(timeout=0.5, isolated=True)
def overrun_in_child() -> None:
    spin.func(60)


@task
async def die() -> None:
    note("dying")
    os.kill(os.getpid(), signal.SIGKILL)


@task(ttl=0.2)
def perishable() -> None:
    note("perishable")


@task(unique=Unique(key="{name}"))
def once_waiting(*, name: str) -> None:
    note(name)


@task(unique=Unique(key="{name}", until="finished"))
async def once_running(*, name: str, seconds: float) -> None:
    await asyncio.sleep(seconds)
    note(name)


@task(unique=Unique(key="{name}", until="finished", on_duplicate="replace"))
async def latest(*, name: str, seconds: float) -> None:
    await asyncio.sleep(seconds)
    note(f"{name} {seconds:g}")


@task(unique=Unique(key="{name}", on_duplicate="replace"))
def newest(*, name: str, value: int) -> None:
    note(f"{name} {value}")


@task(idempotent=Idempotent(key="{name}", keep=60))
def idempotent(*, name: str) -> None:
    note(name)


@task(limit=Limit(key="{user}", concurrency=2))
async def limited(*, user: str, seconds: float = 0.1) -> None:
    note(f"+{user}")
    await asyncio.sleep(seconds)
    note(f"-{user}")


@task(limit=Limit(key="all", rate="5/s"))
async def rated() -> None:
    note(str(time.time()))


@task(level=Level.CRITICAL)
def critical() -> None:
    note("critical")


@task(durable="caller")
def durable_for_caller() -> None:
    note("durable")


@task(durable=True)
def durable() -> None:
    note("durable")


@task(schedule=Schedule(every=float(os.environ.get("TICK", "3600"))))
def tick() -> None:
    note(f"tick {time.time()}")


@task(safe_arguments=("reply",), who="{user}", about="reply {reply}")
def recorded(*, user: str, reply: int, secret: str) -> None:
    report_progress(1, 2, "half")
    note(secret)


@task
async def reporting() -> None:
    report_progress(3, 4, "nearly")
    await asyncio.sleep(30)


@task(retry=Retry(times=1, backoff=0.1))
def fail_always() -> None:
    note("failing")
    raise ValueError("always")


@task(retry=Retry(times=1, backoff=0.1))
async def fail_soon(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise ValueError("soon")


@task
def note_slowly(text: str, seconds: float) -> None:
    note(text)
    time.sleep(seconds)


@task(ttl=0.05, retry=Retry(times=3, backoff=0.01))
def expiring() -> None:
    note("expired")


class Odd(Exception):
    """Cannot be made without arguments, nor asked when to try again."""

    def __new__(cls, *args: object) -> Self:
        if not args:
            raise ValueError("No arguments.")
        return super().__new__(cls, *args)

    @property
    def retry_after(self) -> float:
        raise RuntimeError("Do not ask.")


@task(retry=Retry(times=2))
def raise_oddly() -> None:
    raise Odd("odd")


@task(retry=Retry(times=2))
async def raise_oddly_later() -> None:
    raise Odd("odd")


@task(isolated=True)
def raise_half_a_character() -> None:
    raise ValueError("half \ud800")
