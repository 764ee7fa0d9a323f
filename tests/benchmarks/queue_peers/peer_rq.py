from __future__ import annotations

import time

from marks import URL, mark, produce
from redis import Redis
from rq import Queue

queue = Queue("normal", connection=Redis.from_url(URL))


def sync() -> None:
    mark()


async def coroutine() -> None:
    mark()


def io() -> None:
    time.sleep(0.1)
    mark()


def bulk(kind: str, number: int) -> None:
    for start in range(0, number, 1000):
        count = min(1000, number - start)
        queue.enqueue_many([Queue.prepare_data(f"peer_rq.{kind}") for _ in range(count)])


def one(kind: str) -> None:
    queue.enqueue(f"peer_rq.{kind}")


if __name__ == "__main__":
    produce(bulk, one)
