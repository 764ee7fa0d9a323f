"""What the queues hold and how their tasks fare."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import timedelta
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from performance.management.arguments import MONTH, whole
from performance.management.failures import no_database, no_redis
from performance.queues import inspection, statistics

STUCK = 300.0
"""Seconds of waiting after which somebody should look."""


class Command(BaseCommand):
    help = (
        "Shows levels, workers, schedules and statistics. Exit status 1: somebody should look. "
        "2: Redis does not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--minutes", type=whole(1, MONTH), default=60, help="period of the statistics (60)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            report = _report(timedelta(minutes=options["minutes"]))
        except redis.RedisError as error:
            raise no_redis(type(error).__name__) from None
        if options["format"] == "json":
            self.stdout.write(json.dumps(report, default=str, indent=2))
        else:
            for line in _lines(report):
                self.stdout.write(line)
        if report["problems"]:
            sys.exit(1)


def _report(period: timedelta) -> dict[str, Any]:
    levels, workers = inspection.levels(), inspection.workers()
    tasks, problems = _tasks(period)
    return {
        "levels": [dataclasses.asdict(level) for level in levels],
        "workers": [dataclasses.asdict(worker) for worker in workers],
        "schedules": [dataclasses.asdict(schedule) for schedule in inspection.schedules()],
        "tasks": [dataclasses.asdict(task) for task in tasks],
        "problems": [*_problems(levels, workers), *problems],
    }


def _tasks(period: timedelta) -> tuple[list[statistics.TaskStatistics], list[str]]:
    """The queues are told of although PostgreSQL, which has the statistics, is away."""
    try:
        return statistics.by_task(period), []
    except DatabaseError as error:
        return [], [f"No statistics: {no_database(error)}"]


def _problems(
    levels: list[inspection.LevelState], workers: list[inspection.WorkerState]
) -> list[str]:
    problems = [] if workers else ["No worker runs."]
    problems += [
        f"{level.level} has not been served for {level.oldest:.0f} s."
        for level in levels
        if level.oldest is not None and level.oldest > STUCK and not level.paused
    ]
    return problems


def _lines(report: dict[str, Any]) -> list[str]:
    lines = ["level     waiting  running  scheduled  failed  oldest  a minute"]
    for level in report["levels"]:
        oldest = "-" if level["oldest"] is None else f"{level['oldest']:.0f} s"
        lines.append(
            f"{level['level']:<9} {level['waiting']:>7} {level['running']:>8} "
            f"{level['scheduled']:>10} {level['failed']:>7} {oldest:>7} {level['per_minute']:>9}"
            f"{'  paused' if level['paused'] else ''}"
        )
    lines += ["", f"workers: {len(report['workers'])}"]
    lines += [
        f"  {worker['host']}:{worker['pid']}  {worker['state']}  "
        f"{worker['in_flight']} of {worker['concurrency']}  {worker['memory'] // 1048576} MB"
        for worker in report["workers"]
    ]
    lines += ["", f"{'task':<40} level      runs  failed  wait p95  run p95"]
    lines += [
        f"{task['task'][-40:]:<40} {task['level']:<8} {task['runs']:>6} {task['failures']:>7} "
        f"{task['waited_p95']:>9.3f} {task['ran_p95']:>8.3f}"
        for task in report["tasks"]
    ]
    return [*lines, *(f"! {problem}" for problem in report["problems"])]
