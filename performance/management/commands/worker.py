"""Runs queued tasks."""

from __future__ import annotations

import os
import sys
from typing import Any

import redis
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import autodiscover_modules

from performance.queues import conf
from performance.queues.levels import Level
from performance.queues.worker import ConcurrentWorker
from performance.queues.worker.database import widen_pools
from performance.queues.worker.pool import Pool

PASSED_ON = (
    *("concurrency", "threads", "grace", "max_jobs", "max_memory"),
    *("verbosity", "settings", "pythonpath"),
)


class Command(BaseCommand):
    """First SIGTERM or Ctrl-C: finish what runs within the grace time. Second: hand back at once."""

    help = "Runs queued tasks: coroutines, plain functions and isolated ones, best level first."

    def add_arguments(self, parser: CommandParser) -> None:
        levels = [level.value for level in Level]
        parser.add_argument("--concurrency", type=int, help="jobs at once in one process")
        parser.add_argument("--threads", type=int, help="sync tasks at once in one process")
        parser.add_argument(
            "--processes", type=int, default=1, help="processes, restarted when they die"
        )
        parser.add_argument(
            "--levels",
            nargs="+",
            type=str.lower,
            choices=levels,
            default=levels,
            metavar="LEVEL",
            help=f"serve these alone: {', '.join(levels)}",
        )
        parser.add_argument("--burst", action="store_true", help="end when nothing waits")
        parser.add_argument("--grace", type=float, help="seconds to finish after SIGTERM")
        parser.add_argument("--max-jobs", type=int, help="end after so many jobs")
        parser.add_argument("--max-memory", type=int, help="end above so many MB")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["processes"] < 1:
            raise CommandError("--processes must be 1 or more.")
        self._conf(options)  # refuses what is wrong once, not in every process again and again
        restarts = options["max_jobs"] or options["max_memory"]
        if (options["processes"] > 1 or restarts) and not os.environ.get("PERFORMANCE_POOL"):
            sys.exit(self._pool(options))
        autodiscover_modules("tasks")
        worker = self._work(options)
        sys.stderr.flush()
        if worker.left_behind:
            # A thread that nothing can stop must not hold up the end; its job was handed back.
            os._exit(0)

    def _work(self, options: dict[str, Any]) -> ConcurrentWorker:
        levels = [level.value for level in Level if level.value in options["levels"]]
        chosen = self._conf(options)
        widen_pools(chosen.threads + chosen.database_threads + 1)
        try:
            worker = ConcurrentWorker(levels, conf=chosen, show=_alone_on_a_terminal())
            worker.work(burst=options["burst"], logging_level="WARNING")
        except redis.RedisError as error:
            # Only at the start; a worker that runs waits for a server that is away.
            raise CommandError(f"The queue server does not answer: {error}") from error
        return worker

    def _conf(self, options: dict[str, Any]) -> conf.QueueOptions:
        names = ("concurrency", "threads", "grace", "max_jobs", "max_memory")
        given = {name: options[name] for name in names}
        try:
            return conf.changed(conf.of_default_backend(), **given)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None

    def _pool(self, options: dict[str, Any]) -> int:
        os.environ["PERFORMANCE_POOL"] = str(options["processes"])
        command = [*_own_command_line(), "worker", "--levels", *options["levels"]]
        for name in PASSED_ON:
            if options.get(name) is not None:
                command += [f"--{name.replace('_', '-')}", str(options[name])]
        if options["burst"]:
            command.append("--burst")
        return Pool(command, options["processes"], burst=options["burst"]).run()


def _alone_on_a_terminal() -> bool:
    """Several processes would write over each other's line."""
    return sys.stderr.isatty() and os.environ.get("PERFORMANCE_POOL", "1") == "1"


def _own_command_line() -> list[str]:
    """How this process was started, up to the command's name."""
    started = sys.orig_argv
    if "worker" in started:
        return [sys.executable, *started[1 : started.index("worker")]]
    return [sys.executable, "-m", "django"]
