from __future__ import annotations

import os

import django
from marks import produce

os.environ["DJANGO_SETTINGS_MODULE"] = "ours.settings"
django.setup()

from ours import tasks

from performance.queues import enqueue_many


def one(kind: str) -> None:
    getattr(tasks, kind).enqueue()


def bulk(kind: str, number: int) -> None:
    for start in range(0, number, 1000):
        enqueue_many(getattr(tasks, kind), [((), {})] * min(1000, number - start))


if __name__ == "__main__":
    produce(bulk, one)
