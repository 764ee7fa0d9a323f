from __future__ import annotations

import asyncio
from typing import Any

from arq import create_pool, run_worker
from arq.connections import RedisSettings
from marks import CONCURRENCY, URL, mark, produce

REDIS = RedisSettings.from_dsn(URL)


async def coroutine(_context: Any) -> None:
    mark()


async def io(_context: Any) -> None:
    await asyncio.sleep(0.1)
    mark()


class Worker:
    functions = (coroutine, io)
    redis_settings = REDIS
    max_jobs = CONCURRENCY
    keep_result = 0
    poll_delay = 0.05


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)


def bulk(kind: str, number: int) -> None:
    async def fill() -> None:
        pool = await create_pool(REDIS)
        for _ in range(number):
            await pool.enqueue_job(kind)

    loop.run_until_complete(fill())


_pools: list[Any] = []


def one(kind: str) -> None:
    if not _pools:
        _pools.append(loop.run_until_complete(create_pool(REDIS)))
    loop.run_until_complete(_pools[0].enqueue_job(kind))


if __name__ == "__main__":
    import sys

    if sys.argv[1] == "work":
        run_worker(Worker)
    else:
        produce(bulk, one)
