"""A span for each round trip to the cache's servers, in a process that traces; see performance.tracing.

Keys and values stay out: a key may name a person. What is there is the commands' names, how many
there are, and the KEY_PREFIX, which is a word of the site's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from performance import tracing
from performance.cache.channels import Command
from performance.cache.exceptions import Unavailable
from performance.cache.transport import Node, Transport


class Traced:
    """A transport that opens spans around another one's round trips. `prefix` names the cache."""

    def __init__(self, transport: Transport, prefix: str) -> None:
        self._transport = transport
        self._prefix = prefix.rstrip(":")

    def run(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]:
        with self._span(commands) as span:
            replies = self._transport.run(commands, read=read)
            _describe(span, commands, replies)
            return replies

    async def arun(self, commands: Sequence[Command], *, read: bool = False) -> list[Any]:
        with self._span(commands) as span:
            replies = await self._transport.arun(commands, read=read)
            _describe(span, commands, replies)
            return replies

    def ask(self, command: Command) -> Any:
        with self._span([command]) as span:
            reply = self._transport.ask(command)
            _describe(span, [command], [reply])
            return reply

    def everywhere(self) -> list[Node]:
        return self._transport.everywhere()

    def known(self) -> list[Node]:
        return self._transport.known()

    def holds(self, node: Node, name: str) -> bool:
        return self._transport.holds(node, name)

    def close(self) -> None:
        self._transport.close()

    @property
    def is_down(self) -> bool:
        return self._transport.is_down

    def _span(self, commands: Sequence[Command]) -> AbstractContextManager[tracing.Span]:
        names = {str(command[0]) for command in commands}
        operation = names.pop() if len(names) == 1 else "PIPELINE"
        attributes: tracing.Attributes = {
            "db.system.name": "redis",
            "db.operation.name": operation,
            "db.operation.batch.size": len(commands),
            "cache.prefix": self._prefix,
        }
        return tracing.span(f"{operation} cache {self._prefix}".strip(), attributes, kind="client")


def _describe(span: tracing.Span, commands: Sequence[Command], replies: Sequence[Any]) -> None:
    """Whether what was asked for was there, and whether the server was."""
    gets = [reply for command, reply in zip(commands, replies, strict=True) if command[0] == "GET"]
    if gets:
        span.set({"cache.hits": sum(isinstance(reply, bytes) for reply in gets)})
    failed = next((reply for reply in replies if isinstance(reply, BaseException)), None)
    if isinstance(failed, Unavailable):
        span.fail(type(failed.__cause__ or failed).__name__)
    elif failed is not None:
        span.fail(type(failed).__name__)
