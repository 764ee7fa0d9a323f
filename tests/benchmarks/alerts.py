"""One evaluation of many rules over a long history.

python -m tests.benchmarks alerts [--rules 100] [--series 200] [--minutes 10080] [--spread 1]

The rows are minutes of `--series` series, `--spread` of them to a metric. The rules look back five
minutes, a third of them as ratios, a third grouped by the label that tells a metric's series apart.
Printed are the time of the SQL alone, its statements, the whole evaluation, and one in which an alert
fires: its row and the message that is to be sent are committed at its end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from tests.benchmarks.servers import test_database

COUNTS = {"rules": 100, "series": 200, "minutes": 10_080, "rounds": 30}
FIRING_ROUNDS = 10
CHANNEL = {
    "BACKEND": "performance.alerts.channels.email.EmailChannel",
    "OPTIONS": {"to": ["ops@example.org"]},
}
ROWS = """
    INSERT INTO performance_metricbucket (series_id, resolution, start, count, sum, min, max, histogram)
    SELECT series, 60, date_trunc('minute', now()) - minute * interval '1 minute', 60, 60, 1, 1, ''
    FROM generate_series(1, %s) AS minute, generate_series(1, %s) AS series
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="alerts")
    for name, default in {**COUNTS, "spread": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args(arguments)
    with test_database():
        _seed(options)
        with _channel():
            figures = _measure(options)
    print(json.dumps({"name": "alerts", "figures": figures, "ratios": {}}))


def _channel() -> Any:
    """One channel, so that there is somebody to tell; nothing is sent here."""
    from django.conf import settings
    from django.test import override_settings

    block = {**settings.PERFORMANCE["ALERTS"], "CHANNELS": {"email": CHANNEL}}
    return override_settings(PERFORMANCE={**settings.PERFORMANCE, "ALERTS": block})


def _seed(options: argparse.Namespace) -> None:
    from django.db import connection

    from performance import metrics
    from performance.models import AlertRule, MetricSeries

    names = [f"things_{number // options.spread}" for number in range(options.series)]
    MetricSeries.objects.bulk_create(
        MetricSeries(
            id=number + 1, name=name, kind="c", labels={"part": str(number % options.spread)}
        )
        for number, name in enumerate(names)
    )
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [options.minutes, options.series])
        cursor.execute("ANALYZE performance_metricbucket")
    for number, name in enumerate(names):
        metrics.count(name, 1, part=str(number % options.spread))
    metrics.flush()
    AlertRule.objects.all().delete()
    AlertRule.objects.bulk_create(_rule(number, names) for number in range(options.rules))


def _rule(number: int, names: list[str]) -> Any:
    from performance.models import AlertRule

    values: dict[str, Any] = {"metric": names[number * 7 % len(names)], "aggregation": "count"}
    if number % 3 == 1:
        values["divisor"] = names[number * 11 % len(names)]
    if number % 3 == 2:
        values["group_by"] = ["part"]
    return AlertRule(name=f"rule-{number}", title="rule", threshold=1e9, **values)


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    from django.db import connection

    from performance.alerts import evaluate
    from performance.models import MetricBucket

    rounds, whole = [], []
    for _ in range(options.rounds):
        seen = _Seen()
        with connection.execute_wrapper(seen):
            began = time.perf_counter()
            evaluate()
            whole.append((time.perf_counter() - began) * 1000)
        rounds.append(seen.milliseconds)
    # The first round has one statement more: it inserts the row that the others update.
    usual = [one for one in rounds if len(one) == len(rounds[-1])]
    firing = [_firing(number) for number in range(FIRING_ROUNDS)]
    return {
        "firing_ms": {
            "median": round(statistics.median(firing), 1),
            "worst": round(max(firing), 1),
        },
        "rows": MetricBucket.objects.count(),
        "rules": options.rules,
        "statements": len(rounds[-1]),
        "sql_ms": {
            "median": round(statistics.median(map(sum, usual)), 2),
            "best_of_each": round(sum(map(min, zip(*usual, strict=True))), 2),
        },
        "evaluation_ms": {
            "median": round(statistics.median(whole), 1),
            "best": round(min(whole), 1),
        },
    }


def _firing(number: int) -> float:
    """Milliseconds of an evaluation in which one more alert fires, and a message of it then waits."""
    from performance import metrics
    from performance.alerts import evaluate
    from performance.models import Alert, AlertRule, Notification
    from performance.models.alerts import State

    name = f"fires_{number}"
    AlertRule.objects.create(
        name=f"fires-{number}", title=name, metric=name, aggregation="count", threshold=0
    )
    metrics.count(name)
    metrics.flush()
    began = time.perf_counter()
    evaluate()
    took = (time.perf_counter() - began) * 1000
    alert = Alert.objects.get(rule__name=f"fires-{number}", state=State.FIRING)
    if not Notification.objects.filter(news__contains=[{"alert": alert.pk}]).exists():
        raise SystemExit("The alert fires, and nobody is told.")
    return took


class _Seen:
    """Takes the time of every statement."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []

    def __call__(self, execute: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.milliseconds.append((time.perf_counter() - began) * 1000)
