"""Commands to a Redis Cluster, each to the node that holds its key, in one round trip a node."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from redis.cluster import RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisError

from performance.cache.channels import Command
from performance.cache.exceptions import ReplyError, Unavailable
from performance.cache.transport import Node, key_of

MOVED = frozenset({"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"})
_all: weakref.WeakSet[Cluster] = weakref.WeakSet()
AGAIN = 0.5  # seconds between tries to reach a cluster that has never answered


class Cluster:
    def __init__(
        self, connect: Callable[[], RedisCluster], timeout: float, recover: Callable[[Node], object]
    ) -> None:
        self._connect = connect
        self._timeout = timeout
        self._recover = recover
        self._nodes: dict[str, Node] = {}
        self._cluster: RedisCluster | None = None
        self._lock = threading.Lock()
        self._again_at = 0.0
        _all.add(self)

    @property
    def is_down(self) -> bool:
        return bool(self._nodes) and all(node.breaker.is_open for node in self._nodes.values())

    def run(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]:
        replies: list[Any] = [None] * len(commands)
        for node, positions in self._by_node(commands):
            sent = node.run([commands[at] for at in positions]) if node else _away(positions)
            _place(replies, positions, sent)
        return self._follow(commands, replies)

    async def arun(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]:
        replies: list[Any] = [None] * len(commands)
        groups = self._by_node(commands)
        answers = await asyncio.gather(
            *(node.arun([commands[at] for at in positions]) for node, positions in groups if node)
        )
        for (_, positions), sent in zip((g for g in groups if g[0]), answers, strict=True):
            _place(replies, positions, sent)
        for _, positions in (g for g in groups if not g[0]):
            _place(replies, positions, _away(positions))
        return (
            await asyncio.to_thread(self._follow, commands, replies) if _moved(replies) else replies
        )

    def ask(self, command: Command) -> Any:
        return self.run([command])[0]

    def everywhere(self) -> list[Node]:
        """The primaries. Raises RedisError when no node of the cluster answers."""
        return [self._node(node) for node in self._client().get_primaries()]  # type: ignore[no-untyped-call]

    def known(self) -> list[Node]:
        return list(self._nodes.values())

    def refresh(self) -> None:
        """Ask the cluster anew who holds what."""
        self._client().nodes_manager.initialize()

    def holds(self, node: Node, name: str) -> bool:
        return self._holder(("UNLINK", name)) is node

    def close(self) -> None:
        for node in self._nodes.values():
            node.close()

    def abandon(self) -> None:
        """After a fork: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def _client(self) -> RedisCluster:
        if self._cluster is None:
            with self._lock:
                self._cluster = self._cluster or self._first()
        return self._cluster

    def _first(self) -> RedisCluster:
        if time.monotonic() < self._again_at:
            raise Unavailable("no node of the cluster answers")
        self._again_at = time.monotonic() + AGAIN
        return self._connect()

    def _node(self, found: Any) -> Node:
        node = self._nodes.get(found.name)
        if node is None:
            with self._lock:
                node = self._nodes.setdefault(found.name, self._new(found))
        return node

    def _new(self, found: Any) -> Node:
        client = self._client()
        return Node(
            found.name,
            lambda: client.get_redis_connection(found).connection_pool,
            self._timeout,
            self._recovered,
            before_probe=self.refresh,
        )

    def _recovered(self, node: Node) -> None:
        self.refresh()
        self._recover(node)

    def _by_node(self, commands: Sequence[Command]) -> list[tuple[Node | None, list[int]]]:
        groups: dict[Node | None, list[int]] = {}
        for at, command in enumerate(commands):
            groups.setdefault(self._holder(command), []).append(at)
        return list(groups.items())

    def _holder(self, command: Command) -> Node | None:
        try:
            slot = key_slot(key_of(command).encode())
            return self._node(self._client().nodes_manager.get_node_from_slot(slot))
        except RedisError:
            return None

    def _follow(self, commands: Sequence[Command], replies: list[Any]) -> list[Any]:
        """Repeat, through redis-py's own redirections, what went to a node that had lost the slot."""
        for at in _moved(replies):
            try:
                replies[at] = self._client().execute_command(*commands[at])  # type: ignore[no-untyped-call]
            except (RedisError, OSError) as error:
                replies[at] = Unavailable(type(error).__name__)
        return replies


def _place(replies: list[Any], positions: Iterable[int], sent: list[Any]) -> None:
    for at, reply in zip(positions, sent, strict=True):
        replies[at] = reply


def _away(positions: list[int]) -> list[Any]:
    return [Unavailable("no node of the cluster answers")] * len(positions)


def _moved(replies: list[Any]) -> list[int]:
    return [
        at
        for at, reply in enumerate(replies)
        if isinstance(reply, ReplyError) and reply.code in MOVED
    ]


def _in_child() -> None:
    for cluster in list(_all):
        cluster.abandon()


os.register_at_fork(after_in_child=_in_child)
