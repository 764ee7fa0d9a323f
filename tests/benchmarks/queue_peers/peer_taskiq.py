from __future__ import annotations

import asyncio

from marks import URL, mark, produce
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(URL)


@broker.task(task_name="coroutine")
async def coroutine() -> None:
    mark()


@broker.task(task_name="sync")
def sync() -> None:
    mark()


@broker.task(task_name="io")
async def io() -> None:
    await asyncio.sleep(0.1)
    mark()


TASKS = {"coroutine": coroutine, "sync": sync, "io": io}
loop = asyncio.new_event_loop()


async def _send(kind: str, number: int) -> None:
    for _ in range(number):
        await TASKS[kind].kiq()


def bulk(kind: str, number: int) -> None:
    loop.run_until_complete(_send(kind, number))


def one(kind: str) -> None:
    loop.run_until_complete(_send(kind, 1))


if __name__ == "__main__":
    loop.run_until_complete(broker.startup())
    produce(bulk, one)
    loop.run_until_complete(broker.shutdown())
