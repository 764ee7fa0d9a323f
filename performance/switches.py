"""Services that staff turn off and on while the site runs; every process follows within seconds.

The environment comes first: what it turns off stays off. Metrics and queues are turned off there alone,
since what is built when a process starts depends on them. While the database is away, what held holds.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

import structlog
from django.db import connection, reset_queries

from performance import conf
from performance.models import SwitchChange

logger = structlog.get_logger(__name__)

Switch = SwitchChange.Switch


def is_configured(switch: Switch) -> bool:
    """False where the environment turns it off, so that nobody can turn it on here."""
    section, _, key = switch.value.partition(".")
    return bool(getattr(getattr(conf.configured(), section), key))


def refresh() -> None:
    """Follows the newest changes in this process. Raises django.db.Error."""
    off = SwitchChange.objects.newest().values_list("switch", "is_on")
    known = set(Switch.values)
    conf.turn_off(frozenset(name for name, is_on in off if not is_on and name in known))


class _Watcher(threading.Thread):
    """Looks every WATCH_SECONDS, for as long as the process lives."""

    def __init__(self, seconds: float) -> None:
        super().__init__(name="switches", daemon=True)
        self._seconds = seconds
        self._failing = False

    def run(self) -> None:
        while True:
            self._look()
            time.sleep(self._seconds)

    def _look(self) -> None:
        try:
            refresh()
            self._failing = False
        except Exception as error:  # noqa: BLE001 - the thread has to outlive whatever it was
            if not self._failing:
                logger.warning("switches_unknown", error=type(error).__name__)
            self._failing = True
        finally:
            with suppress(Exception):
                reset_queries()
                connection.close()


_watcher: _Watcher | None = None
_lock = threading.Lock()


def watch(**_kwargs: object) -> None:
    """Follows from now on, once per process. A receiver of request_started and worker_started."""
    global _watcher
    if _watcher is None and (seconds := conf.current().switches.watch_seconds):
        with _lock:
            if _watcher is None:
                _watcher = _Watcher(seconds)
                _watcher.start()


def _in_child() -> None:
    # Threads do not come along.
    global _watcher, _lock
    _watcher, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_in_child)
