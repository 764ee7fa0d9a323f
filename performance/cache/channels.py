"""Sockets to one server, each used by one caller at a time, by threads and by event loops alike.

redis-py opens them (address, TLS, password, database, Sentinel) and hiredis reads the replies; the
round trip between is a send and a receive, where redis-py's own costs half as much again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
from redis.connection import ConnectionPool
from redis.exceptions import RedisError

from performance.cache.exceptions import ReplyError

Command = tuple[Any, ...]
CHUNK = 65_536
KEPT = 64  # idle channels
INCOMPLETE = object()
TOO_LATE = "the cache server did not answer in time"
REPEATABLE = frozenset(
    {
        "GET",
        "PTTL",
        "EXISTS",
        "SET",
        "UNLINK",
        "PEXPIRE",
        "PERSIST",
        "EXPIRE",
        "SCAN",
        "PING",
        "HGETALL",
    }
)
FAILURES = (OSError, RedisError)
_pools: weakref.WeakSet[Channels] = weakref.WeakSet()


class Channel:
    __slots__ = ("connection", "plain", "reader", "sock", "used")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.sock: socket.socket = connection._sock  # noqa: SLF001 - redis-py has no public name for it
        self.plain = type(self.sock) is socket.socket
        self.reader = hiredis.Reader(
            protocolError=ConnectionError, replyError=ReplyError, notEnoughData=INCOMPLETE
        )
        self.used = False
        if self.plain:
            self._time_out_in_kernel(connection.socket_timeout)

    def _time_out_in_kernel(self, seconds: float | None) -> None:
        """Python's own time-out asks `poll` before every send and receive: as much as a tenth."""
        value = struct.pack("ll", *divmod(int((seconds or 0) * 1e6), 1_000_000))
        self.sock.settimeout(None)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    def ready_again(self, seconds: float) -> None:
        """As new, after an event loop has had the socket."""
        self.sock.settimeout(None if self.plain else seconds)

    def is_dead(self) -> bool:
        """Whether the server has closed it, or said something that nobody asked for."""
        try:
            self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except (OSError, ValueError):  # ValueError: TLS, which cannot peek
            return not isinstance(self.sock, ssl.SSLSocket)
        return True

    def request(self, data: bytes, count: int) -> list[Any]:
        """The replies to `count` packed commands; a refused one is a ReplyError among them."""
        replies: list[Any] = []
        try:
            self.sock.sendall(data)
            while self._read(replies, count):
                self.feed(self.sock.recv(CHUNK))
        except BlockingIOError:
            raise TimeoutError(TOO_LATE) from None
        return replies

    async def arequest(self, data: bytes, count: int, timeout: float) -> list[Any]:
        loop = asyncio.get_running_loop()
        replies: list[Any] = []
        async with asyncio.timeout(timeout):
            await loop.sock_sendall(self.sock, data)
            while self._read(replies, count):
                self.feed(await loop.sock_recv(self.sock, CHUNK))
        return replies

    def _read(self, replies: list[Any], count: int) -> bool:
        while len(replies) < count:
            reply = self.reader.gets()
            if reply is INCOMPLETE:
                return True
            replies.append(reply)
        return False

    def feed(self, data: bytes) -> None:
        if not data:
            raise ConnectionError("the cache server closed the connection")
        self.reader.feed(data)


class Channels:
    """The channels to one server. Nothing here survives a fork into the child."""

    def __init__(self, pool: Callable[[], ConnectionPool], timeout: float) -> None:
        self._pool = pool
        self.timeout = timeout
        self._idle: deque[Channel] = deque()
        _pools.add(self)

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """One round trip. Raises OSError or RedisError.

        A channel that had gone bad is replaced once, unless the commands may have been carried out
        and must not be twice.
        """
        data = b"".join(map(hiredis.pack_command, commands))
        repeatable = _are_repeatable(commands)
        channel = self.take(alive=not repeatable)
        try:
            replies = channel.request(data, len(commands))
        except TimeoutError:
            self.drop(channel)
            raise
        except FAILURES:
            self.drop(channel)
            if not (channel.used and repeatable):
                raise
            self.forget()
            return self.run(commands)
        except BaseException:
            self.drop(channel)
            raise
        return self._done(channel, replies)

    async def arun(self, commands: Sequence[Command]) -> list[Any]:
        data = b"".join(map(hiredis.pack_command, commands))
        repeatable = _are_repeatable(commands)
        channel = await self.atake(alive=not repeatable)
        if not channel.plain:  # an event loop cannot await on a TLS socket of redis-py's making
            self.give(channel)
            return await asyncio.to_thread(self.run, commands)
        channel.sock.settimeout(0)
        try:
            replies = await channel.arequest(data, len(commands), self.timeout)
        except TimeoutError:
            self.drop(channel)
            raise
        except FAILURES:
            self.drop(channel)
            if not (channel.used and repeatable):
                raise
            self.forget()
            return await self.arun(commands)
        except BaseException:
            self.drop(channel)
            raise
        channel.ready_again(self.timeout)
        return self._done(channel, replies)

    def ask(self, command: Command) -> Any:
        """As `run` for one command, for the reads that a page is made of."""
        data = hiredis.pack_command(command)
        try:
            channel = self._idle.pop()
        except IndexError:
            return self.run([command])[0]
        reader = channel.reader
        try:
            channel.sock.sendall(data)
            reader.feed(channel.sock.recv(CHUNK))
            reply = reader.gets()
            while reply is INCOMPLETE:
                channel.feed(channel.sock.recv(CHUNK))
                reply = reader.gets()
        except (TimeoutError, BlockingIOError):
            self.drop(channel)
            raise TimeoutError(TOO_LATE) from None
        except FAILURES:
            self.drop(channel)
            self.forget()
            return self.run([command])[0]
        except BaseException:
            self.drop(channel)
            raise
        if type(reply) is ReplyError:
            return self._done(channel, [reply])[0]
        self._idle.append(channel)
        return reply

    def take(self, *, alive: bool = False) -> Channel:
        return self._from_idle(alive=alive) or Channel(self._connect())

    async def atake(self, *, alive: bool = False) -> Channel:
        return self._from_idle(alive=alive) or Channel(await asyncio.to_thread(self._connect))

    def _from_idle(self, *, alive: bool) -> Channel | None:
        while True:
            try:
                channel = self._idle.pop()
            except IndexError:
                return None
            if not (alive and channel.is_dead()):
                return channel
            self.drop(channel)

    def give(self, channel: Channel) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(channel)
        else:
            self.drop(channel)

    def drop(self, channel: Channel) -> None:
        with contextlib.suppress(*FAILURES):
            channel.connection.disconnect()
            self._pool().release(channel.connection)

    def forget(self) -> None:
        """Close what is idle: the server was restarted or is another one now."""
        while True:
            try:
                self.drop(self._idle.pop())
            except IndexError:
                return

    def abandon(self) -> None:
        self._idle.clear()

    def _connect(self) -> Any:
        return self._pool().get_connection()

    def _done(self, channel: Channel, replies: list[Any]) -> list[Any]:
        channel.used = True
        for reply in replies:
            if isinstance(reply, ReplyError) and reply.code in (
                "READONLY",
                "LOADING",
                "MASTERDOWN",
            ):
                self.drop(channel)
                self.forget()
                raise reply
        self.give(channel)
        return replies


def _are_repeatable(commands: Sequence[Command]) -> bool:
    """Whether to carry them out twice is as good as once."""
    return all(command[0] in REPEATABLE and command[-1] != "NX" for command in commands)


def _in_child() -> None:
    for pool in list(_pools):
        pool.abandon()


os.register_at_fork(after_in_child=_in_child)
