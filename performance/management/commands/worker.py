"""Runs queued tasks."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from performance.queues import conf
from performance.queues.levels import Level
from performance.queues.worker import ConcurrentWorker


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
        options_ = conf.changed(conf.of_default_backend(), concurrency=options["concurrency"])
        worker = ConcurrentWorker(levels, conf=options_)
        worker.work(burst=options["burst"], logging_level="WARNING")
