"""What every method of the backends rests on."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import django_redis.cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from performance import spending
from performance.cache.channels import Command
from performance.cache.connections import plan
from performance.cache.engine import Engine, engine_for
from performance.cache.envelope import Refresh, Sealed, seal
from performance.cache.exceptions import Unavailable
from performance.cache.fleet import reporter
from performance.cache.keys import Keys
from performance.cache.operations import Operations
from performance.cache.transport import Driven, Operation, adrive, drive, key_of

FOREVER = 10**12  # seconds: Redis refuses more than it can add to the clock
NAMING = frozenset({"key_func", "key_prefix", "version"})


class Base(django_redis.cache.RedisCache):  # type: ignore[misc]
    """Safe for threads and event loops; instances of one alias share everything but themselves."""

    tiered = False

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        given = params.get("OPTIONS") or {}
        planned = plan(server, given)
        options = {"CLIENT_CLASS": "performance.cache.client.Client"} | planned.options
        super().__init__(planned.servers, params | {"OPTIONS": options})
        self.options = given
        self._loud = bool(given.get("FAIL_LOUDLY"))
        self._compressor = str(given.get("COMPRESS", "zstd"))
        self._plan = planned
        self._settle()

    def __setattr__(self, name: str, value: Any) -> None:
        """Django's caches let their way of naming be changed: another way wants another engine."""
        super().__setattr__(name, value)
        if name in NAMING and "engine" in vars(self):
            self._settle()

    def _settle(self) -> None:
        self._keys = Keys(self)
        self.engine: Engine = engine_for(self._plan, self._keys, tiered=self.tiered)
        self.operations = Operations(self.engine, self._compressor)

    def run(self, operation: Operation, otherwise: Any, *, read: bool = False) -> Any:
        transport = self.engine.transport
        send = transport.run
        try:
            done = drive(operation, lambda c: send(c, read=read))
        except Unavailable as error:
            return self._unavailable(error, otherwise)
        return self._done(done)

    def read_one(self, name: str) -> Any:
        """The entry under `name`, or None: `operations.read` without its ceremony."""
        engine = self.engine
        counts = engine.counts_of(name)
        began = perf_counter()
        reply = engine.transport.ask(("GET", name))
        counts.latency.observe(perf_counter() - began)
        damaged: list[Command] = []
        entry = self.operations.opened(name, reply, damaged, counts)
        if damaged:
            engine.transport.run(damaged)
        if not reporter.started:
            reporter.start()
        if isinstance(entry, Unavailable):
            return self._unavailable(entry, None)
        return entry

    async def arun(self, operation: Operation, otherwise: Any, *, read: bool = False) -> Any:
        transport = self.engine.transport
        try:
            done = await adrive(operation, lambda c: transport.arun(c, read=read))
        except Unavailable as error:
            return self._unavailable(error, otherwise)
        return self._done(done)

    def _done(self, done: Driven) -> Any:
        if done.first:
            self._observe(key_of(done.first), done.waited)
        return done.result

    def _observe(self, name: str, seconds: float) -> None:
        self.engine.counts_of(name).latency.observe(seconds)
        if (spent := spending.current()) is not None:
            spent.cache += seconds
        if not reporter.started:
            reporter.start()

    def _unavailable(self, error: Unavailable, otherwise: Any) -> Any:
        self.engine.failed(error)
        if self._loud:
            raise error.__cause__ or error
        return otherwise

    def name_of(self, key: Any, version: int | None = None) -> str:
        return self._keys.checked(key, version)

    def sealed(self, value: Any, refresh: Refresh | None = None) -> Sealed:
        return seal(value, refresh, self._compressor)

    def _milliseconds(self, timeout: float | None) -> int | None:
        """None: for ever. 0: it has expired before it is stored."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        if timeout is None or timeout >= FOREVER:
            return None
        return max(int(timeout * 1000), 1) if timeout > 0 else 0

    def _partly(self, found: dict[str, Any]) -> dict[str, Any]:
        """The entries of the servers that answered; raises only when asked to fail loudly."""
        away = [entry for entry in found.values() if isinstance(entry, Unavailable)]
        if away:
            self._unavailable(away[0], None)
        return {n: e.value for n, e in found.items() if not isinstance(e, Unavailable) and fresh(e)}


def fresh(entry: Any) -> bool:
    """Whether a plain read may have it; `remember` also gives what is stale."""
    return entry.refresh is None or entry.refresh.is_fresh()
