"""The first tier: entries of this process, bounded by bytes and number, evicted by S3-FIFO.

S3-FIFO (Yang et al., SOSP 2023): a new entry waits in a small queue; read twice there, it moves to
the main queue; else it leaves, and only its name is kept for a while. A hit changes one small
number and takes no lock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from sys import getsizeof

from performance.cache.counts import Counts
from performance.cache.envelope import Entry
from performance.cache.footprint import held_bytes

SMALL_SHARE = 0.1  # of the bytes
MOST_READS = 3
OVERHEAD = 400  # bytes of a slot, its places in the dict and a queue, and a key that left (a ghost)
_FOREVER = float("inf")


class Slot:
    __slots__ = (
        "counts", "expires", "frozen", "gone", "key", "main", "raw", "reads", "refresh", "size", "value",
    )  # fmt: skip

    def __init__(self, key: str, entry: Entry, *, frozen: bool, counts: Counts) -> None:
        self.key = key
        self.value = entry.value if frozen else None
        self.raw = b"" if frozen else bytes(entry.raw)
        self.refresh = entry.refresh
        self.frozen = frozen
        self.counts = counts
        held = held_bytes(self.value) if frozen else getsizeof(self.raw)
        self.size = OVERHEAD + getsizeof(key) + held
        self.expires = _FOREVER
        self.reads = 0
        self.main = False
        self.gone = False


class Token:
    """Held from before a read is sent until its reply is stored; an invalidation between voids it."""

    __slots__ = ("readers", "valid")

    def __init__(self) -> None:
        self.valid = True
        self.readers = 1


class LocalStore:
    """Closed until somebody vouches for its coherence (`open`); a closed store holds nothing."""

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self.max_bytes = max_bytes
        self.max_entries = max_entries
        self.slots: dict[str, Slot] = {}
        self.is_open = False
        self.size = 0
        self.evictions = 0
        self.invalidations = 0
        self._small: deque[Slot] = deque()
        self._main: deque[Slot] = deque()
        self._small_size = 0
        self._ghosts: dict[str, None] = {}
        self._reading: dict[str, Token] = {}
        self._lock = threading.RLock()

    def begin(self, key: str) -> Token | None:
        """Before asking the second tier for `key`; None where its answer may not be kept."""
        with self._lock:
            if not self.is_open:
                return None
            token = self._reading.get(key)
            if token is None:
                token = self._reading[key] = Token()
            else:
                token.readers += 1
            return token

    def end(self, key: str, token: Token | None, slot: Slot | None, ttl: float | None) -> bool:
        """Keep the answer for `ttl` seconds (None: no limit) unless the token was voided."""
        if token is None:
            return False
        with self._lock:
            token.readers -= 1
            if not token.readers and self._reading.get(key) is token:
                del self._reading[key]
            if slot is None or not token.valid or slot.size > self.max_bytes // 8:
                return False
            if ttl is not None:
                slot.expires = time.monotonic() + ttl
            self._insert(slot)
            return True

    def invalidate(self, key: str) -> None:
        """`key` changed: drop it, and void the reads of it that are in flight."""
        with self._lock:
            self.invalidations += 1
            token = self._reading.pop(key, None)
            if token is not None:
                token.valid = False
            slot = self.slots.pop(key, None)
            if slot is not None:
                self._remove(slot)

    def clear(self) -> None:
        with self._lock:
            for token in self._reading.values():
                token.valid = False
            self._reading.clear()
            self.slots.clear()
            self._small.clear()
            self._main.clear()
            self._ghosts.clear()
            self.size = self._small_size = 0

    def open(self) -> None:
        with self._lock:
            self.clear()
            self.is_open = True

    def close(self) -> None:
        """Forget everything and keep nothing until the next `open`."""
        with self._lock:
            self.is_open = False
            self.clear()

    def _insert(self, slot: Slot) -> None:
        before = self.slots.get(slot.key)
        if before is not None:
            self._remove(before)
        slot.main = self._ghosts.pop(slot.key, self) is None
        self.slots[slot.key] = slot
        self.size += slot.size
        if slot.main:
            self._main.append(slot)
        else:
            self._small.append(slot)
            self._small_size += slot.size
        while self.size > self.max_bytes or len(self.slots) > self.max_entries:
            self._evict()
        if len(self._small) + len(self._main) > 2 * len(self.slots) + 64:
            self._compact()

    def _remove(self, slot: Slot) -> None:
        slot.gone = True  # its place in the queue is dropped when its turn comes
        self.size -= slot.size
        if not slot.main:
            self._small_size -= slot.size

    def _evict(self) -> None:
        crowded = self._small_size > SMALL_SHARE * self.max_bytes
        if self._small and (crowded or not self._main or len(self._small) > self.max_entries // 10):
            self._evict_small()
        else:
            self._evict_main()

    def _evict_small(self) -> None:
        slot = self._small.popleft()
        if slot.gone:
            return
        self._small_size -= slot.size
        if slot.reads > 1:
            slot.main, slot.reads = True, 0
            self._main.append(slot)
            return
        slot.main = True  # no longer counted as small
        self._ghosts[slot.key] = None
        while len(self._ghosts) > max(64, len(self.slots)):
            del self._ghosts[next(iter(self._ghosts))]
        self._forget(slot)

    def _evict_main(self) -> None:
        slot = self._main.popleft()
        if slot.gone:
            return
        if slot.reads and slot.expires > time.monotonic():
            slot.reads -= 1
            self._main.append(slot)
        else:
            self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        self.evictions += 1
        slot.counts.evictions += 1
        self.slots.pop(slot.key, None)
        self._remove(slot)

    def _compact(self) -> None:
        self._small = deque(slot for slot in self._small if not slot.gone)
        self._main = deque(slot for slot in self._main if not slot.gone)
