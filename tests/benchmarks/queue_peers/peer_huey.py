from __future__ import annotations

import time

from huey import RedisHuey
from marks import URL, mark, produce

huey = RedisHuey("bench", url=URL, results=False)


@huey.task()
def sync() -> None:
    mark()


@huey.task()
def io() -> None:
    time.sleep(0.1)
    mark()


def one(kind: str) -> None:
    {"sync": sync, "io": io}[kind]()


def bulk(kind: str, number: int) -> None:
    for _ in range(number):
        one(kind)


if __name__ == "__main__":
    import peer_huey  # the consumer knows the tasks by this module's name

    produce(peer_huey.bulk, peer_huey.one)
