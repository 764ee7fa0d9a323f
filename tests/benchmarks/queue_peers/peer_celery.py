from __future__ import annotations

import time

from celery import Celery
from marks import URL, mark, produce

app = Celery("peer_celery", broker=URL)
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="sync")
def sync() -> None:
    mark()


@app.task(name="io")
def io() -> None:
    time.sleep(0.1)
    mark()


def one(kind: str) -> None:
    app.tasks[kind].delay()


def bulk(kind: str, number: int) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(number):
            app.tasks[kind].apply_async(producer=producer)


if __name__ == "__main__":
    produce(bulk, one)
