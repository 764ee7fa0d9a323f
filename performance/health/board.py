"""Asks every service at once and waits for no answer longer than the timeout.

A driver has no deadline for a server that is frozen, so each probe runs in a thread of its own that
may be left behind; while it hangs no second one is started. No thread of a page is needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Facts = dict[str, Any]


class Unwell(Exception):
    """A service answers, and what it says is not good. The text is safe to show."""

    def __init__(self, text: str, facts: Facts | None = None) -> None:
        super().__init__(text)
        self.facts = facts or {}


@dataclass(frozen=True, slots=True)
class Result:
    """`seconds` until the answer; `error` is empty or what is wrong, without addresses or values."""

    service: str
    is_up: bool
    seconds: float
    error: str = ""
    facts: Facts = field(default_factory=dict)


class _Probe:
    """One service; `ask` answers with facts or raises."""

    def __init__(self, service: str, ask: Callable[[], Facts]) -> None:
        self._service = service
        self._ask = ask
        self._thread = threading.Thread()
        self._began = 0.0
        self._result: Result | None = None

    def start(self) -> None:
        if self._thread.is_alive():
            return
        self._began = time.perf_counter()
        self._thread = threading.Thread(
            target=self._run, name=f"health-{self._service}", daemon=True
        )
        self._thread.start()

    def wait(self, deadline: float) -> Result:
        """The answer, or that there was none until `deadline` (of perf_counter)."""
        self._thread.join(max(deadline - time.perf_counter(), 0))
        if self._thread.is_alive() or self._result is None:
            return Result(self._service, False, time.perf_counter() - self._began, "no answer")
        return self._result

    def _run(self) -> None:
        began = self._began
        facts: Facts = {}
        error = ""
        try:
            facts = self._ask()
        except Unwell as unwell:
            facts, error = unwell.facts, str(unwell)
        except Exception as failure:  # noqa: BLE001 - whatever a driver raises, it is down
            error = type(failure).__name__
        took = time.perf_counter() - began
        self._result = Result(self._service, not error, took, error, facts)


class Board:
    """The state of all services, asked at most once in `lifetime` seconds."""

    def __init__(
        self, probes: Iterable[tuple[str, Callable[[], Facts]]], timeout: float, lifetime: float
    ) -> None:
        self._probes = [_Probe(service, ask) for service, ask in probes]
        self._timeout = timeout
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._results: list[Result] = []

    def look(self) -> list[Result]:
        """The results, in the order of the probes; takes the timeout at most."""
        with self._lock:
            if time.monotonic() - self._looked_at >= self._lifetime:
                self._results = self._round()
                self._looked_at = time.monotonic()
            return self._results

    def _round(self) -> list[Result]:
        deadline = time.perf_counter() + self._timeout
        for probe in self._probes:
            probe.start()
        return [probe.wait(deadline) for probe in self._probes]
