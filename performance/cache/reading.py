"""How a value is read through the cache, once for threads and coroutines.

The steps are a generator of effects (`Ask`, `Load`, `Pause`, `Join`, `Later`); remembering.py has
the two that carry them out.
"""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any, NamedTuple

from performance.cache.base import FOREVER, Base
from performance.cache.envelope import Entry, Refresh
from performance.cache.flights import Flight
from performance.cache.tiered import TieredCache
from performance.cache.transport import Operation

SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.05  # seconds between looks for another process's value
CERTAINLY_NOT = 25  # costs before it gets stale: XFetch's chance of an early refresh is nil


_loading: ContextVar[frozenset[str]] = ContextVar("cache_loading", default=frozenset())


class Policy(NamedTuple):
    """Seconds, but for `beta`; docs/cache.md explains each."""

    ttl: float | None
    stale: float = 30
    stale_if_error: float = 300
    negative_ttl: float | None = None
    beta: float = 1
    lease: float = 10
    wait: float = 5


class Ask(NamedTuple):
    operation: Operation
    otherwise: Any


class Load(NamedTuple):
    """Call the caller's function."""


class Pause(NamedTuple):
    seconds: float


class Join(NamedTuple):
    """Wait for a flight; the answer is whether it ended, well or badly."""

    flight: Flight
    seconds: float


class Later(NamedTuple):
    """Carry out these steps while the caller goes on; anew, if they are broken off."""

    steps: Callable[[], Steps]


Steps = Generator[Ask | Load | Pause | Join | Later, Any, Any]
AWAY = object()


class Reader:
    def __init__(self, cache: Base, key: str, policy: Policy) -> None:
        self.cache, self.policy = cache, policy
        self.engine = cache.engine
        self.name = cache.name_of(key)
        self.counts = self.engine.counts_of(self.name)

    def held(self) -> Any:
        """The value out of the first tier, or AWAY: the way of almost every call."""
        if not isinstance(self.cache, TieredCache):
            return AWAY
        slot = self.cache.held(self.name)
        if slot is None or (slot.refresh is not None and self._is_early(slot.refresh)):
            return AWAY
        return self.cache.value_of(slot)

    def steps(self) -> Steps:
        entry = yield Ask(self.cache.operations.read(self.name), None)
        if entry is not None and self._may_have(entry):
            if not self._is_fresh(entry):
                self.counts.hits -= 1
                self.counts.stale_served += 1
            if entry.refresh is not None and (
                not self._is_fresh(entry) or self._is_early(entry.refresh)
            ):
                yield from self._refresh_later(entry)
            return entry.value
        return (yield from self._make(entry))

    def _make(self, old: Entry | None) -> Steps:
        """Join the load under way here, or be the one that makes the value for all."""
        while True:
            flight = Flight()
            other = self.engine.flights.setdefault(self.name, flight)
            if other is flight:
                return (yield from self._fly(flight, old))
            self.counts.waits += 1
            if self.name in _loading.get():
                return (yield Load())  # a load that asks for its own value would wait for itself
            ended = yield Join(other, self.policy.wait)
            if ended and other.cancelled():
                continue
            return other.result() if ended else (yield Load())

    def _fly(self, flight: Flight, old: Entry | None) -> Steps:
        try:
            value = yield from self._lead(old)
        except Exception as error:
            self._land(flight)
            flight.set_exception(error)
            raise
        except BaseException:
            self._land(flight)
            flight.cancel()
            raise
        self._land(flight)
        flight.set_result(value)
        return value

    def _land(self, flight: Flight) -> None:
        if self.engine.flights.get(self.name) is flight:
            del self.engine.flights[self.name]

    def _lead(self, old: Entry | None) -> Steps:
        """Get the lease, or the value from the process that has it."""
        token, until, pause = (
            secrets.token_hex(8),
            time.monotonic() + self.policy.wait,
            SHORTEST_PAUSE,
        )
        lease = int(self.policy.lease * 1000)
        while True:
            got = yield Ask(self.cache.operations.lease(self.name, token, lease), AWAY)
            if got is AWAY:
                return (yield from self._load(old))
            entry = yield Ask(self.cache.operations.look_again(self.name), None)
            if entry is not None and self._is_fresh(entry):
                if got:
                    yield Ask(self.cache.operations.release(self.name, token), None)
                return entry.value
            if got:
                return (yield from self._load_and_store(token, entry or old))
            if time.monotonic() > until:
                return (yield from self._load(old))
            yield Pause(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _load_and_store(self, token: str, old: Entry | None) -> Steps:
        began = time.perf_counter()
        try:
            value = yield from self._load(None)
            sealed, ttl = self._sealed(value, time.perf_counter() - began)
        except BaseException as error:
            yield Ask(self.cache.operations.release(self.name, token), None)
            if isinstance(error, Exception) and old is not None and self._saves_from_error(old):
                self.counts.stale_served += 1
                return old.value
            raise
        if sealed is None:
            yield Ask(self.cache.operations.release(self.name, token), None)
        else:
            yield Ask(self.cache.operations.store_leased(self.name, sealed, ttl, token), False)
        return value

    def _load(self, old: Entry | None) -> Steps:
        began = time.perf_counter()
        outer = _loading.set(_loading.get() | {self.name})
        try:
            value = yield Load()
        except Exception:
            self.counts.load_errors += 1
            if old is not None and self._saves_from_error(old):
                self.counts.stale_served += 1
                return old.value
            raise
        finally:
            _loading.reset(outer)
        seconds = time.perf_counter() - began
        self.counts.loads += 1
        self.counts.load_seconds += seconds
        self.engine.load_time.observe(seconds)
        return value

    def _sealed(self, value: Any, cost: float) -> tuple[Any, int | None]:
        policy = self.policy
        ttl = policy.ttl
        if value is None and policy.negative_ttl is not None:
            ttl = policy.negative_ttl
        if ttl is None or ttl >= FOREVER:
            return self.cache.sealed(value), None
        if ttl <= 0:
            return None, None
        refresh = Refresh(time.time() + ttl, cost)
        kept = ttl + max(policy.stale, policy.stale_if_error)
        return self.cache.sealed(value, refresh), max(int(kept * 1000), 1)

    def _refresh_later(self, old: Entry) -> Steps:
        flight = Flight()
        if self.engine.flights.setdefault(self.name, flight) is flight:
            yield Later(lambda: self._refresh(flight, old))

    def _refresh(self, flight: Flight, old: Entry) -> Steps:
        token = secrets.token_hex(8)
        try:
            lease = int(self.policy.lease * 1000)
            if (yield Ask(self.cache.operations.lease(self.name, token, lease), AWAY)) is not True:
                return
            entry = yield Ask(self.cache.operations.look_again(self.name), None)
            if entry is not None and entry.refresh != old.refresh and self._is_fresh(entry):
                yield Ask(self.cache.operations.release(self.name, token), None)
            else:
                yield from self._load_and_store(token, None)
        finally:
            self._land(flight)
            flight.cancel()

    def _may_have(self, entry: Entry) -> bool:
        return entry.refresh is None or time.time() < entry.refresh.stale_at + self.policy.stale

    def _saves_from_error(self, entry: Entry) -> bool:
        refresh, window = entry.refresh, self.policy.stale_if_error
        return refresh is not None and time.time() < refresh.stale_at + window

    def _is_fresh(self, entry: Entry) -> bool:
        return entry.refresh is None or entry.refresh.is_fresh()

    def _is_early(self, refresh: Refresh) -> bool:
        """XFetch: the nearer the end and the dearer the load, the likelier one caller goes ahead."""
        cost, left = refresh.cost * self.policy.beta, refresh.stale_at - time.time()
        if left > CERTAINLY_NOT * cost:
            return False
        return -cost * math.log(1 - random.random()) >= left  # noqa: S311 - a dice, not a secret
