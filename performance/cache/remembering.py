"""Read-through: one load for all who ask at once, in this process and in all others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from typing import Any, TypedDict, Unpack

from asgiref.sync import AsyncToSync, ThreadSensitiveContext, sync_to_async
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connections

from performance import conf
from performance.cache.base import Base
from performance.cache.flights import Flight, background
from performance.cache.reading import AWAY, Ask, Join, Later, Load, Pause, Policy, Reader, Steps

logger = logging.getLogger("performance.cache")
_tasks: set[asyncio.Task[Any]] = set()


class Windows(TypedDict, total=False):
    """Seconds: how long each kind of answer may be given; docs/cache.md has the defaults."""

    stale: float  # after ttl, the old value is given while one caller refreshes it
    stale_if_error: float  # after ttl, the old value is given when `load` raises
    negative_ttl: float | None  # ttl of None in place of `ttl`; 0 does not store it
    beta: float  # how early popular values are refreshed; 0 = not before ttl
    lease: float  # a load that takes longer may be joined by a second
    wait: float  # for another's load; after that `load` is called, and its value not stored


def remember(
    key: str,
    load: Callable[[], Any],
    ttl: float | None = DEFAULT_TIMEOUT,
    *,
    cache: str = "default",
    **windows: Unpack[Windows],
) -> Any:
    """The value under `key`, else `load()`, kept for `ttl` seconds (None: for ever).

    Raises what `load` raises, to all who wait for it, and keeps nothing of it. With the cache
    switched off or away, it is `load()`.
    """
    backend = caches[cache]
    if not conf.current().cache.enabled:
        return load()
    if not isinstance(backend, Base):
        return _with_any_backend(backend, key, load, ttl)
    reader = Reader(backend, key, _policy(backend, ttl, windows))
    found = reader.held()
    return found if found is not AWAY else _carry_out(backend, reader.steps(), load)


async def aremember(
    key: str,
    load: Callable[[], Awaitable[Any]],
    ttl: float | None = DEFAULT_TIMEOUT,
    *,
    cache: str = "default",
    **windows: Unpack[Windows],
) -> Any:
    """As `remember`, for a `load` to be awaited."""
    backend = caches[cache]
    if not conf.current().cache.enabled:
        return await load()
    if not isinstance(backend, Base):
        return await _with_any_backend_async(backend, key, load, ttl)
    reader = Reader(backend, key, _policy(backend, ttl, windows))
    found = reader.held()
    return found if found is not AWAY else await _acarry_out(backend, reader.steps(), load)


def _policy(backend: Base, ttl: float | None, windows: Windows) -> Policy:
    return Policy(backend.default_timeout if ttl is DEFAULT_TIMEOUT else ttl, **windows)


def _carry_out(backend: Base, steps: Steps, load: Callable[[], Any]) -> Any:
    answer: Any = None
    advance: Callable[[Any], Any] = steps.send
    try:
        while True:
            effect = advance(answer)
            advance = steps.send
            try:
                answer = _do(backend, effect, load)
            except BaseException as error:  # noqa: BLE001 - thrown into the steps, which re-raise
                advance, answer = steps.throw, error
    except StopIteration as finished:
        return finished.value


def _do(backend: Base, effect: Any, load: Callable[[], Any]) -> Any:
    match effect:
        case Ask(operation, otherwise):
            return backend.run(operation, otherwise)
        case Load():
            return load()
        case Pause(seconds):
            return time.sleep(seconds)
        case Join(flight, seconds):
            return _join(flight, seconds)
        case Later(steps):
            return background.submit(lambda: _quietly(_carry_out, backend, steps(), load))


def _join(flight: Flight, seconds: float) -> bool:
    try:
        flight.exception(seconds)
    except CancelledError:
        return True
    except NotYet:
        return False
    return True


def _quietly(carry_out: Callable[..., Any], *arguments: Any) -> None:
    try:
        carry_out(*arguments)
    except Exception as error:  # noqa: BLE001 - counted; the readers have the old value
        logger.info("A refresh in the background failed: %r", error)


async def _acarry_out(backend: Base, steps: Steps, load: Callable[[], Awaitable[Any]]) -> Any:
    answer: Any = None
    advance: Callable[[Any], Any] = steps.send
    try:
        while True:
            effect = advance(answer)
            advance = steps.send
            try:
                answer = await _ado(backend, effect, load)
            except BaseException as error:  # noqa: BLE001 - thrown into the steps, which re-raise
                advance, answer = steps.throw, error
    except StopIteration as finished:
        return finished.value


async def _ado(backend: Base, effect: Any, load: Callable[[], Awaitable[Any]]) -> Any:
    match effect:
        case Ask(operation, otherwise):
            return await backend.arun(operation, otherwise)
        case Load():
            return await load()
        case Pause(seconds):
            return await asyncio.sleep(seconds)
        case Join(flight, seconds):
            return await _ajoin(flight, seconds)
        case Later(steps):
            return _start(lambda: _aquietly(backend, steps(), load))


async def _ajoin(flight: Flight, seconds: float) -> bool:
    waiting = asyncio.wrap_future(flight)
    waiting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    done, _ = await asyncio.wait({waiting}, timeout=seconds)
    return bool(done)


def _start(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Work on the caller's loop; where that ends before the work does, on a loop in a thread."""

    def elsewhere() -> None:
        with contextlib.suppress(RuntimeError):  # the interpreter is on its way out
            background.submit(lambda: asyncio.run(_alone(work())))

    def ended(task: asyncio.Task[None]) -> None:
        _tasks.discard(task)
        if task.cancelled():
            elsewhere()

    loop = asyncio.get_running_loop()
    if loop in AsyncToSync.loop_thread_executors:
        return elsewhere()  # made for this call alone, and the work may need the thread it waits in
    task = loop.create_task(work())
    _tasks.add(task)
    task.add_done_callback(ended)
    return None


async def _alone(work: Coroutine[Any, Any, None]) -> None:
    # The context is a copy of the caller's, whose thread would be waited for although it has gone on.
    AsyncToSync.executors.current = None
    async with ThreadSensitiveContext():  # a thread of its own for the ORM
        try:
            await work
        finally:
            await sync_to_async(connections.close_all)()


async def _aquietly(backend: Base, steps: Steps, load: Callable[[], Awaitable[Any]]) -> None:
    try:
        await _acarry_out(backend, steps, load)
    except Exception as error:  # noqa: BLE001 - counted; the readers have the old value
        logger.info("A refresh in the background failed: %r", error)


def _with_any_backend(backend: BaseCache, key: str, load: Callable[[], Any], ttl: Any) -> Any:
    found = backend.get(key, AWAY)
    if found is AWAY:
        found = load()
        backend.set(key, found, ttl)
    return found


async def _with_any_backend_async(
    backend: BaseCache, key: str, load: Callable[[], Awaitable[Any]], ttl: Any
) -> Any:
    found = await backend.aget(key, AWAY)
    if found is AWAY:
        found = await load()
        await backend.aset(key, found, ttl)
    return found
