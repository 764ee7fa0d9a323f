"""Commands to a Redis: one server, a primary with replicas, or a primary that Sentinel names."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NamedTuple, Protocol

from redis.connection import ConnectionPool

from performance.cache.batches import Batches
from performance.cache.breaker import Breaker
from performance.cache.channels import FAILURES, Channels, Command
from performance.cache.exceptions import Unavailable

Operation = Generator[list[Command], list[Any], Any]


class Transport(Protocol):
    """Sends commands to whichever servers hold their keys (the second word), in one round trip each.

    A reply may be an exception: ReplyError where the server refused, Unavailable where it is away.
    """

    def run(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]: ...

    async def arun(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]: ...

    def ask(self, command: Command) -> Any:
        """The reply to one command that reads."""

    def everywhere(self) -> list[Node]:
        """The servers that take writes."""

    def known(self) -> list[Node]:
        """As `everywhere`, of those that were met; asks nobody."""

    def holds(self, node: Node, name: str) -> bool:
        """Whether writes of that key go to that server."""

    def close(self) -> None: ...

    @property
    def is_down(self) -> bool: ...


class Node:
    """One server behind its breaker."""

    def __init__(
        self,
        name: str,
        pool: Callable[[], ConnectionPool],
        timeout: float,
        recover: Callable[[Node], object] = lambda node: None,
        *,
        before_probe: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self._before_probe = before_probe
        self.pool = pool
        self.channels = Channels(pool, timeout)
        self.breaker = Breaker(name, self._probe, lambda: recover(self), interval=0.25)
        self.errors: dict[str, int] = {}
        self.lost_all = False  # a clear did not reach it
        self._batches = Batches(self._send)

    def run(self, commands: Sequence[Command]) -> list[Any]:
        if self.breaker.is_open:
            return [Unavailable(self.name)] * len(commands)
        try:
            return self.channels.run(commands)
        except FAILURES as error:
            return self._failed(error, len(commands))

    def ask(self, command: Command) -> Any:
        if self.breaker.is_open:
            return Unavailable(self.name)
        try:
            return self.channels.ask(command)
        except FAILURES as error:
            return self._failed(error, 1)[0]

    async def arun(self, commands: Sequence[Command]) -> list[Any]:
        if self.breaker.is_open:
            return [Unavailable(self.name)] * len(commands)
        return await self._batches.run(commands)

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self.channels.arun(commands)
        except FAILURES as error:
            return self._failed(error, len(commands))

    def direct(self, commands: Sequence[Command]) -> list[Any]:
        """As `run`, past the breaker. Raises what keeps the server from answering."""
        return self.channels.run(commands)

    def close(self) -> None:
        self.breaker.close()
        self.channels.forget()

    def _failed(self, error: BaseException, count: int) -> list[Any]:
        name = type(error).__name__
        self.errors[name] = self.errors.get(name, 0) + 1
        self.breaker.trip(error)
        unavailable = Unavailable(f"{self.name}: {name}")
        unavailable.__cause__ = error
        return [unavailable] * count

    def _probe(self) -> None:
        self._before_probe()
        self.channels.forget()
        self.channels.run([("PING",)])


class Servers:
    """Writes go to the first node; reads, if the caller does not mind the lag, to one of the others."""

    def __init__(self, nodes: list[Node]) -> None:
        self.primary = nodes[0]
        self.replicas = nodes[1:]

    def run(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]:
        return self._node(read).run(commands)

    async def arun(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]:
        return await self._node(read).arun(commands)

    def ask(self, command: Command) -> Any:
        return (self._node(read=True) if self.replicas else self.primary).ask(command)

    def everywhere(self) -> list[Node]:
        return [self.primary]

    def known(self) -> list[Node]:
        return [self.primary]

    @property
    def is_down(self) -> bool:
        return self.primary.breaker.is_open

    def holds(self, node: Node, name: str) -> bool:
        return node is self.primary

    def close(self) -> None:
        for node in (self.primary, *self.replicas):
            node.close()

    def _node(self, read: bool) -> Node:
        alive = [node for node in self.replicas if not node.breaker.is_open] if read else []
        return random.choice(alive) if alive else self.primary  # noqa: S311 - spreads load


class Driven(NamedTuple):
    """The result of an operation, how long it waited for servers (seconds), and its first command."""

    result: Any
    waited: float
    first: Command


def drive(operation: Operation, run: Callable[[list[Command]], list[Any]]) -> Driven:
    waited: float = 0
    first: Command = ()
    try:
        commands = next(operation)
        first = commands[0]
        while True:
            began = time.perf_counter()
            replies = run(commands)
            waited += time.perf_counter() - began
            commands = operation.send(replies)
    except StopIteration as finished:
        return Driven(finished.value, waited, first)


async def adrive(
    operation: Operation, run: Callable[[list[Command]], Awaitable[list[Any]]]
) -> Driven:
    waited: float = 0
    first: Command = ()
    try:
        commands = next(operation)
        first = commands[0]
        while True:
            began = time.perf_counter()
            replies = await run(commands)
            waited += time.perf_counter() - began
            commands = operation.send(replies)
    except StopIteration as finished:
        return Driven(finished.value, waited, first)


def key_of(command: Command) -> str:
    """The key that says where a command goes."""
    return str(command[3] if command[0] == "EVAL" else command[1])
