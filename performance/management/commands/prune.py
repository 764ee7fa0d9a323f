"""Deletes what is older than the settings keep; workers do it by themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from performance import tasks
from performance.management.failures import no_database
from performance.management.progress import Progress
from performance.metrics import pruning

Counts = dict[str, int]


def _metrics(progress: Progress) -> Counts:
    pruned = pruning.prune(lambda deleted: progress("metric rows deleted:", deleted))
    return {
        "metric_minutes": pruned.minutes,
        "metric_hours": pruned.hours,
        "metric_series": pruned.series,
    }


def _task_runs(_progress: Progress) -> Counts:
    return {"task_runs": tasks.prune_task_runs.func()}


def _query_log(_progress: Progress) -> Counts:
    return {"query_log": tasks.prune_query_log.func()}


def _alerts(_progress: Progress) -> Counts:
    return {"alerts": tasks.prune_alerts.func()}


PRUNERS: list[Callable[[Progress], Counts]] = [_metrics, _task_runs, _query_log, _alerts]


class Command(BaseCommand):
    help = (
        "Deletes metrics, task runs, the query log and alerts that are older than the settings keep. "
        "Exit status 2: PostgreSQL does not answer, or has no tables yet."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *_args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        deleted: Counts = {}
        try:
            for prune in PRUNERS:
                deleted |= prune(progress)
        except DatabaseError as error:
            raise no_database(error) from None
        finally:
            progress.end()
        if options["format"] == "json":
            self.stdout.write(json.dumps(deleted))
            return
        for name, number in deleted.items():
            self.stdout.write(f"{number:>9}  {name.replace('_', ' ')}")
