"""What the three health endpoints say."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.signals import setting_changed
from django.db import connections
from django.tasks import task_backends

from performance import conf
from performance.health import errors, pools, servers
from performance.health.board import Board, Facts, Result
from performance.health.databases import Migrations, probe
from performance.queues.backend import RQBackend

SERVICES = ("database", "migrations", "cache", "queue", "workers")
"""What is asked where it is there; another database is `database:alias`."""

_started = time.monotonic()
_lock = threading.Lock()
_board: Board | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`is_ready`: every service answers that the site cannot do without."""

    is_ready: bool
    results: list[Result]

    def public(self) -> dict[str, Any]:
        """For anybody: up or down, and no word more."""
        return {
            "status": "ready" if self.is_ready else "not ready",
            "services": {one.service: "up" if one.is_up else "down" for one in self.results},
        }


def look() -> list[Result]:
    """The state of every service, at most a second old; takes the timeout at most."""
    return _the_board().look()


def report() -> Report:
    """As `look`, with the verdict."""
    results = look()
    optional = conf.current().health.optional
    ready = all(one.is_up or one.service in optional for one in results)
    return Report(ready, results)


def detail() -> dict[str, Any]:
    """For operators: every service with status, latency, uptime, version, errors; pools and queues."""
    found = report()
    counted = errors.lately(found.results)
    return {
        "status": "ok" if found.is_ready else "failing",
        "version": conf.current().health.version,
        "uptime_seconds": round(time.monotonic() - _started),
        "pid": os.getpid(),
        "services": {one.service: _told(one, counted) for one in found.results},
        "errors": counted,
        "pools": pools.statistics(),
        "queues": servers.levels() if _has_queues() and _is_up("queue", found.results) else [],
    }


def _told(result: Result, counted: errors.Errors | None) -> dict[str, Any]:
    facts: Facts = dict(result.facts)
    return {
        "status": "up" if result.is_up else "down",
        "latency_ms": round(result.seconds * 1000, 1),
        "error": result.error,
        "version": facts.pop("version", ""),
        "uptime_seconds": facts.pop("uptime_seconds", None),
        "errors": None if counted is None else counted.get(result.service),
        **facts,
    }


def _is_up(service: str, results: list[Result]) -> bool:
    return any(one.is_up for one in results if one.service == service)


def _has_queues() -> bool:
    return conf.current().queues.enabled and isinstance(task_backends["default"], RQBackend)


def _probes() -> Iterator[tuple[str, Callable[[], Facts]]]:
    for alias in connections:
        yield "database" if alias == "default" else f"database:{alias}", probe(alias)
    yield "migrations", Migrations()
    if next(servers.cache_nodes(), None) is not None:
        yield "cache", servers.ask_caches
    if _has_queues():
        yield "queue", servers.ask_queue
        yield "workers", servers.ask_workers


def _the_board() -> Board:
    global _board
    with _lock:
        if _board is None:
            health = conf.current().health
            _board = Board(_probes(), health.timeout, health.lifetime)
        return _board


def forget() -> None:
    """Asks anew the next time."""
    global _board
    _board = None


def _in_child() -> None:
    global _lock
    _lock = threading.Lock()
    forget()


def _changed(*, setting: str, **_kwargs: Any) -> None:
    if setting in {"PERFORMANCE", "CACHES", "RQ_QUEUES", "TASKS", "DATABASES"}:
        forget()


os.register_at_fork(after_in_child=_in_child)
setting_changed.connect(_changed, dispatch_uid="performance.health")
