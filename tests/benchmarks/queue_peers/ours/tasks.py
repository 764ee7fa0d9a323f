from __future__ import annotations

import asyncio

from marks import mark

from performance.queues import schedule, task

# The app's own periodic tasks want a database, which no peer has here.
schedule.scheduled_tasks = lambda: iter(())


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
