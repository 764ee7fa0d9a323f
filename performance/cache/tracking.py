"""Keeps the first tier coherent: the servers push the name of every key that changes.

One connection to each server that takes writes, in RESP3, with CLIENT TRACKING in broadcast mode
for the prefix of the cache. While all are up the local store is open; when one is lost, or has been
silent for `SILENCE` seconds, the store is emptied and closed until all are back.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import select
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import hiredis

from performance.cache.channels import CHUNK, FAILURES, INCOMPLETE, Channel, Command
from performance.cache.exceptions import LinkLost, ReplyError
from performance.cache.flights import Flight
from performance.cache.local import LocalStore
from performance.cache.transport import Node

logger = logging.getLogger("performance.cache")
PING_EVERY = 0.25  # seconds
SILENCE = 0.75  # seconds without an answer: the link is lost
AGAIN = 0.2  # seconds between tries to connect
FRESH = 0.004  # seconds that a reader may go without looking at the socket himself
_all: weakref.WeakSet[Tracker] = weakref.WeakSet()


class Link:
    """The connection to one server over which it names what changed."""

    def __init__(self, node: Node, prefix: str) -> None:
        self.node = node
        self._pool = node.pool()
        self.channel = Channel(self._pool.get_connection())
        self.heard = self.asked = time.monotonic()
        self._follow(prefix)

    def _follow(self, prefix: str) -> None:
        commands: list[Command] = [
            ("HELLO", "3"),
            ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix),
        ]
        data = b"".join(map(hiredis.pack_command, commands))
        for reply in self.channel.request(data, len(commands)):
            if isinstance(reply, ReplyError):
                raise reply
        self.channel.sock.settimeout(0)
        self._ready = select.poll()
        self._ready.register(self.channel.sock, select.POLLIN)

    def ping(self, now: float) -> None:
        if now - self.asked >= PING_EVERY:
            self.asked = now
            self.channel.sock.sendall(hiredis.pack_command(("PING",)))

    def read(self) -> list[Any]:
        """What has arrived; empty when nothing has. Raises OSError when the link is lost."""
        arrived: list[Any] = []
        if not self._ready.poll(0) and self.channel.plain:
            return arrived  # a third of the cost of a receive that fails
        while data := self._receive():
            self.heard = time.monotonic()
            self.channel.reader.feed(data)
            if len(data) < CHUNK and self.channel.plain:
                break
        while (message := self.channel.reader.gets()) is not INCOMPLETE:
            arrived.append(message)
        return arrived

    def _receive(self) -> bytes:
        try:
            data = self.channel.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            return b""
        if not data:
            raise LinkLost("the server closed the link")
        return data

    def check(self, now: float) -> None:
        """Raises LinkLost when the server has been silent for too long."""
        if now - self.heard > SILENCE:
            raise LinkLost("the server is silent")

    def close(self) -> None:
        with contextlib.suppress(*FAILURES):
            self.channel.connection.disconnect()  # first, so that nobody gets it with tracking on
            self._pool.release(self.channel.connection)


class Tracker:
    """`flights`: the loads under way, so that nobody joins one that a change has overtaken."""

    def __init__(
        self,
        store: LocalStore,
        nodes: Callable[[], list[Node]],
        prefix: str,
        flights: dict[str, Flight],
    ) -> None:
        self.store = store
        self._flights = flights
        self.losses = 0
        self.fresh_until = 0.0  # on the monotonic clock
        self._doubts = 0
        self._nodes = nodes
        self._prefix = prefix
        self._links: list[Link] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        _all.add(self)

    def start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="cache-tracking", daemon=True
                    )
                    self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._lose("stopped")

    def wait(self, seconds: float) -> bool:
        """Whether the first tier is in use within `seconds`."""
        self.start()
        until = time.monotonic() + seconds
        while not self.store.is_open and time.monotonic() < until:
            time.sleep(0.002)
        return self.store.is_open

    def drain(self) -> bool:
        """Take in what the servers have said so far; a reader calls it, so no thread need be woken.

        False where another thread kept hold of the links for 10 ms, as on a machine that has no time for it:
        what it has read it may not have told the store yet, so nobody may use the store.
        """
        if not self._lock.acquire(timeout=0.01):
            return False
        try:
            now, doubts = time.monotonic(), self._doubts
            for link in self._links:
                for message in link.read():
                    self._hear(message)
                link.check(now)
            if self._doubts == doubts:  # last: other threads trust it without the lock
                self.fresh_until = now + FRESH
        except FAILURES as error:
            self._lost(error)
        finally:
            self._lock.release()
        return True

    def doubt(self) -> None:
        """The next reader looks at the socket, however lately another did.

        After an answer of the server, which may be newer than what was heard before: who reads one key
        there and another here must not get the new one and the old other.
        """
        self._doubts += 1  # whoever is looking just now may have looked before that answer
        self.fresh_until = 0.0

    def abandon(self) -> None:
        """After a fork: the links and the thread are the parent's."""
        self._links, self._thread, self._lock = [], None, threading.Lock()
        self.store._lock = threading.RLock()  # noqa: SLF001 - another thread may have held it at the fork
        self.store.close()

    def _hear(self, message: Any) -> None:
        if not isinstance(message, list) or not message or message[0] != b"invalidate":
            return
        if message[1] is None:
            self.store.clear()
            self._flights.clear()
            return
        for key in message[1]:
            name = key.decode("utf-8", "surrogateescape")
            self.store.invalidate(name)
            self._flights.pop(name, None)

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._links and not self._connect():
                self._stop.wait(AGAIN)
                continue
            self._listen()

    def _connect(self) -> bool:
        links: list[Link] = []
        try:
            for node in self._nodes():
                if node.breaker.is_open:
                    raise LinkLost(f"{node.name} does not answer")
                links.append(Link(node, self._prefix))
        except FAILURES as error:
            logger.debug("cannot follow the changes of %s: %s", self._prefix, error)
            for link in links:
                link.close()
            return False
        with self._lock:
            self._links = links
            if not self._stop.is_set():
                self.store.open()
        return True

    def _listen(self) -> None:
        poll = select.poll()
        links = self._links
        with contextlib.suppress(OSError, ValueError):
            for link in links:
                poll.register(link.channel.sock.fileno(), select.POLLIN)
            while self._links is links and not self._stop.is_set():
                poll.poll(PING_EVERY * 500)
                self.drain()
                self._check(links)

    def _check(self, links: list[Link]) -> None:
        now = time.monotonic()
        try:
            for link in links:
                link.ping(now)
                link.check(now)
        except FAILURES as error:
            self._lose(error)

    def _lose(self, why: object) -> None:
        with self._lock:
            self._lost(why)

    def _lost(self, why: object) -> None:
        links, self._links = self._links, []
        if links and not self._stop.is_set():
            self.losses += 1  # before the first reader can tell
        self.store.close()
        for link in links:
            link.close()
        if links and not self._stop.is_set():
            logger.info("Lost the invalidation link (%s): bypassing the first tier.", why)


def _in_child() -> None:
    for tracker in list(_all):
        tracker.abandon()


def _at_exit() -> None:
    """The server may go before this thread does: no loss to tell of."""
    for tracker in list(_all):
        tracker.stop()


os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
