from __future__ import annotations

import os
from datetime import timedelta

import django
from marks import produce

os.environ["DJANGO_SETTINGS_MODULE"] = "ours.settings"
django.setup()

from django.utils import timezone
from ours import tasks

from performance.queues import enqueue_many


def one(kind: str) -> None:
    getattr(tasks, kind).enqueue()


def bulk(kind: str, number: int) -> None:
    if kind == "deferred":
        task = tasks.sync.using(run_after=timezone.now() + timedelta(days=1))
    else:
        task = getattr(tasks, kind)
    for start in range(0, number, 1000):
        enqueue_many(task, [((), {})] * min(1000, number - start))


if __name__ == "__main__":
    produce(bulk, one)
