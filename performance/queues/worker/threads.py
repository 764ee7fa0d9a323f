"""A bounded pool of daemon threads for sync tasks, each of which can be interrupted."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from queue import SimpleQueue
from typing import Any

from django.db import close_old_connections, connections, reset_queries

from performance.queues.exceptions import TaskCancelled
from performance.queues.worker.run import Run

Body = Callable[[Run], Any]
Ended = Callable[[Run, Any, BaseException | None], None]


PATIENCE = 0.001


class Interrupted(TaskCancelled):
    """Raised inside a thread whose task is to stop."""


class Threads:
    """Runs `body(run)` in a copy of the context; `ended` is called on the loop, in batches."""

    def __init__(
        self, size: int, body: Body, ended: Ended, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.size = size
        self.busy = 0
        self._body = body
        self._ended = ended
        self._loop = loop
        self._todo: deque[tuple[Run, Context]] = deque()
        self._done: deque[tuple[Run, Any, BaseException | None]] = deque()
        self._told = False
        self._awake = 0
        self._asleep = 0
        self._looks_again = False
        self._calls: SimpleQueue[bool] = SimpleQueue()
        self._lock = threading.Lock()
        self._owner: dict[int, Run] = {}
        self._interrupted: set[int] = set()

    def submit(self, run: Run, context: Context) -> None:
        """Queues the run; call on the loop.

        A thread works on until nothing waits. Others are woken a millisecond later if something
        still does, so that short tasks do not have all threads fight for the interpreter.
        """
        self.busy += 1
        self._todo.append((run, context))
        if self._awake == 0:
            self._wake(1)
        if not self._looks_again:
            self._looks_again = True
            self._loop.call_later(PATIENCE, self._look_again)

    def _look_again(self) -> None:
        self._looks_again = bool(self._todo)
        if self._looks_again:
            self._wake(len(self._todo))
            self._loop.call_later(PATIENCE * 10, self._look_again)

    def _wake(self, wanted: int) -> None:
        with self._lock:
            woken = min(wanted, self._asleep)
            born = min(wanted - woken, self.size - self._awake - self._asleep)
            self._asleep -= woken
            self._awake += woken + born
        for _ in range(woken):
            self._calls.put(True)
        for _ in range(born):
            threading.Thread(target=self._work, name="task", daemon=True).start()

    def interrupt(self, run: Run) -> bool:
        """Raises Interrupted in the run's thread at its next Python instruction.

        False when it has not begun or has just ended. A call into C is not interrupted.
        """
        with self._lock:
            ident = run.thread
            if ident is None or self._owner.get(ident) is not run:
                return False
            self._interrupted.add(ident)
            _raise_in(ident, Interrupted)
            return True

    def close(self) -> None:
        """Lets idle threads end; busy ones die with the process."""
        for _ in range(self.size):
            self._calls.put(False)

    def _work(self) -> None:
        ident = threading.get_ident()
        while True:
            while self._todo:
                with suppress(IndexError):
                    self._run_one(*self._todo.popleft(), ident)
            with self._lock:
                self._awake -= 1
                self._asleep += 1
            if not self._calls.get():
                break

    def _run_one(self, run: Run, context: Context, ident: int) -> None:
        value, error = None, None
        try:
            try:
                value = context.run(self._guarded, run, ident)
            finally:
                self._let_go(ident)
        except BaseException as raised:  # noqa: BLE001
            error = raised
            self._let_go(ident)  # an interruption may have come in the place of the first
        broken_off = ident in self._interrupted  # also where the task has caught it
        self._interrupted.discard(ident)
        try:
            _give_back(broken_off=broken_off)
        except Exception as raised:  # noqa: BLE001 - such as a server that is away: the run's error
            error = error or raised
        self._done.append((run, value, error))
        self._tell()

    def _guarded(self, run: Run, ident: int) -> Any:
        with self._lock:
            run.thread = ident
            self._owner[ident] = run
        close_old_connections()
        reset_queries()  # as at a request's beginning: with DEBUG on, Django remembers them all
        return self._body(run)

    def _let_go(self, ident: int) -> None:
        """Nobody interrupts this thread from here on, and what is on its way does not arrive."""
        while True:
            try:
                with self._lock:
                    self._owner.pop(ident, None)
                    _raise_in(ident, None)
            except Interrupted:
                continue
            break

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        self._told = False
        while self._done:
            run, value, error = self._done.popleft()
            self.busy -= 1
            self._ended(run, value, error)


def _raise_in(ident: int, error: type[BaseException] | None) -> None:
    """At the thread's next Python instruction; None takes back what it has not raised yet."""
    raised = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), raised)


def _give_back(*, broken_off: bool) -> None:
    """This thread's connections, as after a request.

    A task that was broken off may have been so in the middle of Django's own bookkeeping, of a
    transaction that has neither ended nor goes on: the next one has connections of its own.
    """
    close_old_connections()
    for one in connections.all(initialized_only=True) if broken_off else ():
        try:
            one.close()
        finally:
            del connections[one.alias]
