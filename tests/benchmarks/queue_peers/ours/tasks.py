from __future__ import annotations

import asyncio

from marks import mark

from performance.queues import task


@task
def sync() -> None:
    mark()


@task
async def coroutine() -> None:
    mark()


@task
async def io() -> None:
    await asyncio.sleep(0.1)
    mark()
