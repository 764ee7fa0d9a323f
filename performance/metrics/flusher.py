"""Takes this process's events out of the buffer and writes what came of them, once a second."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

import redis

from performance import conf
from performance.metrics import slots, store, totals
from performance.metrics.buffer import Buffer
from performance.metrics.recording import Cells, Recording, merge

logger = logging.getLogger("performance.metrics")

MOST_PENDING = 30
"""Slots kept while Redis is away, five minutes; older ones are dropped and counted."""
MOST_PACKETS = 300
"""Packets of requests by their ids kept meanwhile, at a flush a second as long."""
LONGEST_PAUSE = 10.0
"""Seconds between two tries to reach a Redis that is away."""

callbacks: list[Callable[[], None]] = []
"""Called before each flush, in its thread; see `performance.metrics.on_flush`."""


class Flusher:
    """`flush` may be called from any thread; `start` does it from a thread of its own."""

    def __init__(self, buffer: Buffer, settings: conf.MetricsSettings) -> None:
        self._buffer = buffer
        self._settings = settings
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._recording = Recording(settings.most_series)
        self._process = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._slots: dict[int, Cells] = {}  # unsent ones, and the newest
        self._unsent: set[int] = set()
        self._newest = 0
        self._steps = 0
        self._fresh: Cells = {}  # not yet in a batch of totals
        self._batch: tuple[int, list[store.Total]] = (0, [])
        self._trail: deque[bytes] = deque(maxlen=MOST_PACKETS)
        self._failures = 0
        self._try_at = 0.0
        self._is_last = False

    def start(self) -> None:
        if self._settings.flush_seconds > 0:
            threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._settings.flush_seconds):
            try:
                self.flush()
            except Exception:
                logger.exception("Metrics were not flushed.")

    def flush(self, *, last: bool = False) -> bool:
        """Sends all that was recorded until now. False where Redis did not take it: it is kept.

        `last`: the process ends, and nobody is to be told that its metrics wait.
        """
        self._is_last |= last
        with self._lock:
            self._call_back()
            self._collect()
            # Twice, where a batch of totals whose reply was lost has to go before the next.
            while self._unsent or self._fresh or self._batch[1] or self._trail:
                if not (self._may_try() and self._send()):
                    return False
            return True

    def _call_back(self) -> None:
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("A callback of the metrics' flush failed.")

    def _collect(self) -> None:
        self._recording.replay(self._buffer.drain())
        self._recording.dropped(self._buffer.dropped(), "full")
        if packet := self._recording.trail.take():
            self._trail.append(packet)
        cells = self._recording.take()
        if not cells:
            return
        slot = slots.slot_at(time.time())
        if slot < self._newest:
            # The clock went back, perhaps into a slot already sent: that one must not be replaced.
            self._steps += 1
        self._newest = slot
        merge(self._slots.setdefault(slot, {}), cells)
        merge(self._fresh, cells)
        self._unsent.add(slot)
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self._unsent) > MOST_PENDING:
            oldest = min(self._unsent)
            self._unsent.remove(oldest)
            lost = self._slots.pop(oldest)
            self._recording.dropped(int(sum(cell.count for cell in lost.values())), "redis")

    def _may_try(self) -> bool:
        return time.monotonic() >= self._try_at

    def _send(self) -> bool:
        if not self._batch[1]:
            fresh, self._fresh = self._fresh, {}
            self._batch = (self._batch[0] + 1, totals.batch(fresh, self._recording.kind))
        number, batch = self._batch
        packed = {slot: (self._field(), self._packed(slot)) for slot in self._unsent}
        try:
            store.write(self._process, packed, number, batch, self._trail)
        except (redis.RedisError, OSError) as error:
            self._failed(error)
            return False
        self._sent()
        return True

    def _field(self) -> str:
        return f"{self._process}:{self._steps}"

    def _packed(self, slot: int) -> bytes:
        return slots.pack(self._slots[slot], self._recording.kind)

    def _failed(self, error: Exception) -> None:
        if not (self._failures or self._is_last):
            logger.warning("Metrics wait: Redis does not answer (%s).", type(error).__name__)
        self._failures += 1
        self._try_at = time.monotonic() + min(2.0 ** (self._failures - 1), LONGEST_PAUSE)

    def _sent(self) -> None:
        if self._failures:
            logger.warning("Metrics flow again after %d failed tries.", self._failures)
            self._failures = 0
        self._batch = (self._batch[0], [])
        self._unsent.clear()
        self._trail.clear()
        self._slots = {slot: cells for slot, cells in self._slots.items() if slot == self._newest}
