"""Runs queued tasks."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from performance.queues import connection
from performance.queues.job import TaskJob
from performance.queues.levels import Level


class Command(BaseCommand):
    help = "Runs queued tasks: coroutines and plain functions, best level first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=None, help="jobs at once")
        parser.add_argument("--processes", type=int, default=1, help="worker processes")
        parser.add_argument(
            "--levels", nargs="+", choices=[level.value for level in Level], default=list(Level)
        )
        parser.add_argument("--burst", action="store_true", help="stop when nothing waits")

    def handle(self, *_args: Any, **options: Any) -> None:
        logging.getLogger("rq").setLevel(logging.WARNING)
        levels = [level.value for level in Level if level in options["levels"]]
        worker = SimpleWorker(
            levels,
            connection=connection.client(),
            job_class=TaskJob,
            serializer=JSONSerializer,
        )
        worker.work(burst=options["burst"], with_scheduler=True, logging_level="WARNING")
