"""Commands that coroutines of one loop issue at the same time share one round trip."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from performance.cache.channels import Command

IN_FLIGHT = 4  # round trips of one loop at a time; what comes meanwhile makes one longer batch
LONGEST = 512  # commands of a batch

Send = Callable[[Sequence[Command]], Awaitable[list[Any]]]


class _Loop:
    __slots__ = ("tasks", "waiting")

    def __init__(self) -> None:
        self.waiting: list[tuple[Sequence[Command], asyncio.Future[list[Any]]]] = []
        self.tasks: set[asyncio.Task[None]] = set()


class Batches:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop]
        self._loops = weakref.WeakKeyDictionary()

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        loop = asyncio.get_running_loop()
        state = self._loops.get(loop)
        if state is None:
            state = self._loops[loop] = _Loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        state.waiting.append((commands, future))
        if len(state.tasks) < IN_FLIGHT:
            self._start(loop, state)
        return await future

    def _start(self, loop: asyncio.AbstractEventLoop, state: _Loop) -> None:
        task = loop.create_task(self._flush(state))
        state.tasks.add(task)
        task.add_done_callback(state.tasks.discard)

    async def _flush(self, state: _Loop) -> None:
        while state.waiting:
            batch, size = [], 0
            while state.waiting and size < LONGEST:
                batch.append(state.waiting.pop(0))
                size += len(batch[-1][0])
            await self._round_trip(batch)

    async def _round_trip(
        self, batch: list[tuple[Sequence[Command], asyncio.Future[list[Any]]]]
    ) -> None:
        try:
            replies = await self._send([command for commands, _ in batch for command in commands])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            raise
        position = 0
        for commands, future in batch:
            if not future.done():
                future.set_result(replies[position : position + len(commands)])
            position += len(commands)
