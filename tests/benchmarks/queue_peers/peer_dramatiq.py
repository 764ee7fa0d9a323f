from __future__ import annotations

import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from marks import URL, mark, produce

dramatiq.set_broker(RedisBroker(url=URL))


@dramatiq.actor
def sync() -> None:
    mark()


@dramatiq.actor
def io() -> None:
    time.sleep(0.1)
    mark()


def one(kind: str) -> None:
    {"sync": sync, "io": io}[kind].send()


def bulk(kind: str, number: int) -> None:
    for _ in range(number):
        one(kind)


if __name__ == "__main__":
    produce(bulk, one)
