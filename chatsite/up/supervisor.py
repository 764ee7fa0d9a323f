"""Keeps the children alive, passes their lines on, and ends them in order."""

from __future__ import annotations

import selectors
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from chatsite.up.children import Child, Spec
from chatsite.up.problems import Problem
from chatsite.up.progress import Progress
from chatsite.up.signals import Interrupted, Signals

HEALTHY_AFTER = 10.0  # seconds of life that make a death no quick one
QUICK_DEATHS = 5  # in a row
FIRST_DELAY = 0.25  # seconds; doubles
LOOK = 0.1
UPKEEP = 3.0
INSISTED = 1.5  # seconds of grace after a second request


class _Place:
    """One spec's child and its successors."""

    def __init__(self, spec: Spec) -> None:
        self.child = Child(spec)
        self.quick_deaths = 0
        self.due: float | None = 0.0  # when to start; None while it runs


class Supervisor:
    """Runs one child for each of `specs`; calls `upkeep` some times a minute."""

    def __init__(
        self,
        specs: Iterable[Spec],
        progress: Progress,
        signals: Signals,
        upkeep: Callable[[], None] = lambda: None,
    ) -> None:
        self._places = [_Place(spec) for spec in specs]
        self._progress = progress
        self._signals = signals
        self._upkeep = upkeep
        self._upkeep_due = time.monotonic() + UPKEEP

    def watch(self, until: Callable[[], bool]) -> None:
        """Starts and restarts the children until `until` is true.

        Raises Interrupted when asked to stop first, and Problem where one dies again and again.
        """
        while True:
            for place in self._places:
                self._tend(place)
            if until():
                return
            if self._signals.requests:
                raise Interrupted
            self._pass_lines_on(LOOK)
            if time.monotonic() > self._upkeep_due:
                self._upkeep()
                self._upkeep_due = time.monotonic() + UPKEEP

    def watch_until_asked_to_stop(self) -> None:
        with suppress(Interrupted):
            self.watch(until=lambda: False)

    def stop(self) -> None:
        """One after the other; those that outlive their grace are killed. Nothing is left."""
        for place in self._places:
            self._stop(place.child)
        for place in self._places:
            place.child.clear()

    def _tend(self, place: _Place) -> None:
        if place.due is None and not place.child.alive:
            self._bury(place)
        elif place.due is not None and time.monotonic() >= place.due:
            place.child.start()
            place.due = None

    def _bury(self, place: _Place) -> None:
        child = place.child
        lived = time.monotonic() - child.born
        self._show(child)
        child.clear()
        status = child.process.returncode if child.process else 0
        place.quick_deaths = place.quick_deaths + 1 if lived < HEALTHY_AFTER else 0
        if place.quick_deaths >= QUICK_DEATHS:
            raise Problem(_gave_up(child, status))
        delay = FIRST_DELAY * 2 ** max(0, place.quick_deaths - 1) if place.quick_deaths else 0.0
        place.due = time.monotonic() + delay
        self._progress.say(f"{child.spec.name} {_ending(status)}; starting it again.")

    def _stop(self, child: Child) -> None:
        if not child.alive:
            return
        began, asked = time.monotonic(), self._signals.requests
        child.ask()
        while child.alive:
            self._pass_lines_on(LOOK / 2)
            grace = child.spec.grace
            if self._signals.requests > max(asked, 1):
                asked, began, grace = self._signals.requests, time.monotonic(), INSISTED
                child.ask()
            if self._signals.requests > 1:
                grace = INSISTED
            if time.monotonic() - began > grace:
                child.ask(signal.SIGKILL)

    def _pass_lines_on(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            for place in self._places:
                if place.child.alive:
                    selector.register(place.child.output, selectors.EVENT_READ, place.child)
            began = time.monotonic()
            for key, _ in selector.select(seconds):
                self._show(key.data)
            # A child that has closed its output is always ready; do not spin on it.
            time.sleep(max(0.0, min(0.02, seconds - (time.monotonic() - began))))

    def _show(self, child: Child) -> None:
        with suppress(BrokenPipeError):
            for line in child.read():
                # JSON stays whole, for those who collect it.
                named = line if line.startswith("{") else f"{child.spec.name:>6} | {line}"
                self._progress.say(named)


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"


def _gave_up(child: Child, status: int) -> str:
    lines = "\n".join(f"    {line}" for line in child.last_lines)
    said = f"Its last lines:\n{lines}" if lines else "It said nothing."
    return f"{child.spec.name} {_ending(status)}, {QUICK_DEATHS} times in a row. {said}"
