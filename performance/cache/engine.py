"""All that the threads of a process share of one cache: channels, breakers, first tier, counts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django_redis.pool import get_connection_factory

from performance import tracing
from performance.cache.channels import Command
from performance.cache.cluster import Cluster
from performance.cache.connections import Plan
from performance.cache.counts import Counts, Histogram
from performance.cache.families import is_counted
from performance.cache.flights import Flight
from performance.cache.keys import Keys
from performance.cache.local import LocalStore
from performance.cache.traced import Traced
from performance.cache.tracking import Tracker
from performance.cache.transport import Node, Servers, Transport

MOST_LOST = 10_000  # names of entries to delete when the server is back; beyond it, all of them
_engines: dict[str, Engine] = {}
_lock = threading.Lock()


class Engine:
    def __init__(self, plan: Plan, keys: Keys, *, tiered: bool) -> None:
        self.keys = keys
        self.counts: dict[str, Counts] = {"": Counts()}
        self._prefix_length = len(keys.prefix)
        self.load_time = Histogram()
        self.errors: dict[str, int] = {}
        self.transport: Transport = _transport(plan, self._recover)
        if (
            tracing.is_on()
        ):  # asked once: nothing of it is in the way of a process that does not trace
            self.transport = Traced(self.transport, keys.prefix)
        self.flights: dict[str, Flight] = {}
        self.lost: set[str] = set()
        self.local: LocalStore | None = None
        self.tracker: Tracker | None = None
        if tiered:
            options = plan.options
            self.local = LocalStore(
                options.get("LOCAL_MAX_BYTES", 32 * 2**20), options.get("LOCAL_MAX_ENTRIES", 20_000)
            )
            self.tracker = Tracker(self.local, self.transport.everywhere, keys.prefix, self.flights)

    def first_tier(self) -> tuple[LocalStore, Tracker]:
        if self.local is None or self.tracker is None:
            raise ImproperlyConfigured("this cache was made without a first tier")
        return self.local, self.tracker

    def counts_of(self, name: str) -> Counts:
        """The counts of the namespace that a name belongs to."""
        start = name.find(":", self._prefix_length) + 1
        family = name[start : name.find(":", start)]
        found = self.counts.get(family)
        if found is not None:
            return found
        if not is_counted(family):
            return self.counts[""]
        return self.counts.setdefault(family, Counts())

    def failed(self, error: BaseException) -> None:
        cause = error.__cause__ or error
        name = type(cause).__name__
        self.errors[name] = self.errors.get(name, 0) + 1

    def lose(self, names: list[str]) -> None:
        """A write did not reach the server: what it holds under `names` must go when it is back."""
        if len(self.lost) + len(names) > MOST_LOST:
            for node in self.transport.known():
                node.lost_all = True
        else:
            self.lost.update(names)

    def close(self) -> None:
        """Let go of every connection and thread; the next use begins anew."""
        if self.tracker is not None:
            self.tracker.stop()
        self.transport.close()

    def _recover(self, node: Node) -> None:
        lost, self.lost = self.lost, set()
        everything, node.lost_all = node.lost_all, False
        try:
            if everything:
                for commands in sweep(node, self.keys):
                    node.direct(commands)
            if lost:
                self._unlink(node, sorted(lost))
        except BaseException:
            self.lost |= lost
            node.lost_all |= everything
            raise

    def _unlink(self, node: Node, names: list[str]) -> None:
        mine = [name for name in names if self.transport.holds(node, name)]
        self.lost.update(set(names) - set(mine))
        if mine:
            node.direct([("UNLINK", name) for name in mine])


def sweep(node: Node, keys: Keys) -> Iterator[list[Command]]:
    """Batches of UNLINK for every key of a cache on a node, and for their leases."""
    cursor: Any = b"0"
    while True:
        scan = ("SCAN", cursor, "MATCH", keys.pattern, "COUNT", "1000")
        [[cursor, found]] = node.direct([scan])
        if names := keys.mine(found):
            yield [("UNLINK", name) for name in names]
        if cursor == b"0":
            return


def _transport(plan: Plan, recover: Any) -> Transport:
    factory = get_connection_factory(plan.options)
    timeout = plan.options["SOCKET_TIMEOUT"]
    if plan.options.get("CLUSTER"):
        return Cluster(lambda: factory.connect(plan.servers[0]), timeout, recover)

    def node(url: str) -> Node:
        return Node(_label(url), lambda: factory.connect(url).connection_pool, timeout, recover)

    return Servers([node(url) for url in plan.servers])


def _label(url: str) -> str:
    """An address without its password."""
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    return f"{host or ''}{parts.path}"


def engine_for(plan: Plan, keys: Keys, *, tiered: bool) -> Engine:
    """The one engine of the process for these servers, options and keys."""
    identity = repr((tiered, plan.servers, sorted(map(str, plan.options.items())), keys.identity))
    with _lock:
        if identity not in _engines:
            _engines[identity] = Engine(plan, keys, tiered=tiered)
        engine = _engines[identity]
        engine.keys.versions |= keys.versions
        return engine


def engines() -> list[Engine]:
    return list(_engines.values())


def _in_child() -> None:
    """After a fork: whoever was loading a value, or held the lock, is a thread of the parent."""
    global _lock
    _lock = threading.Lock()
    for engine in engines():
        engine.flights.clear()


os.register_at_fork(after_in_child=_in_child)


def close_engines() -> None:
    while _engines:
        _engines.popitem()[1].close()


def _close(*, setting: str, **kwargs: object) -> None:
    if setting == "CACHES":
        close_engines()


setting_changed.connect(_close, dispatch_uid="performance.cache.engine")
