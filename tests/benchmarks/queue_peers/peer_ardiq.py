from __future__ import annotations

import asyncio
import os
import sys

from ardiq import Ardiq
from marks import CONCURRENCY, URL, mark, produce

app = Ardiq(redis_url=URL, queue_name="bench", concurrency=CONCURRENCY)


@app.task()
async def coroutine() -> None:
    mark()


@app.task()
def sync() -> None:
    mark()


@app.task()
async def io() -> None:
    await asyncio.sleep(0.1)
    mark()


TASKS = {"coroutine": coroutine, "sync": sync, "io": io}
loop = asyncio.new_event_loop()


async def _fill(kind: str, number: int) -> None:
    for start in range(0, number, 1000):
        count = min(1000, number - start)
        await app.enqueue_many([TASKS[kind].prepare() for _ in range(count)])


def bulk(kind: str, number: int) -> None:
    loop.run_until_complete(_fill(kind, number))


def one(kind: str) -> None:
    loop.run_until_complete(TASKS[kind].enqueue())


if __name__ == "__main__":
    if sys.argv[1] == "work":
        asyncio.run(app.run())
    else:
        produce(bulk, one)
        # Its core may crash when the interpreter ends around it.
        sys.stdout.flush()
        os._exit(0)
