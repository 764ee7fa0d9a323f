"""Whether a day of minutes is kept, without a hole, and nothing older, while rows come and old ones go.

python -m tests.benchmarks retention [--hours 30] [--series 50]

A row for each minute and series of the last `--hours` hours is written, then what every ten minutes prunes is
run as it is on a site.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.benchmarks.servers import test_database

ROWS = """
    INSERT INTO performance_metricbucket (series_id, resolution, start, count, sum, min, max, histogram)
    SELECT series, 60, date_trunc('minute', now()) - minute * interval '1 minute', 60, 60, 1, 1, ''
    FROM generate_series(0, %s - 1) AS minute, generate_series(1, %s) AS series
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="retention")
    parser.add_argument("--hours", type=int, default=30)
    parser.add_argument("--series", type=int, default=50)
    options = parser.parse_args(arguments)
    with test_database():
        figures = measure(options.hours, options.series)
    for name, value in figures.items():
        print(f"{name:22} {value:12,}")
    print(json.dumps({"name": "retention", "figures": figures, "ratios": {}}))


def measure(hours: int, series: int) -> dict[str, Any]:
    from django.db import connection

    from performance.metrics import pruning
    from performance.models import MetricSeries

    MetricSeries.objects.bulk_create(
        MetricSeries(id=number, name=f"things_{number}", kind="c", labels={})
        for number in range(1, series + 1)
    )
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [hours * 60, series])
    began = time.perf_counter()
    pruned = pruning.prune()
    took = time.perf_counter() - began
    return {
        "rows_written": hours * 60 * series,
        "rows_pruned": pruned.minutes,
        "prune_seconds": round(took, 2),
        "hours_without_a_hole": round(_unbroken(series) / 60, 2),
        "rows_too_old": _too_old(),
    }


def _unbroken(series: int) -> int:
    """The minutes back from now for which every series has its row."""
    from django.db.models import Count

    from performance.models import MetricBucket

    full = MetricBucket.objects.minutes().values("start").annotate(rows=Count("pk"))
    starts = [row["start"] for row in full.filter(rows=series).order_by("-start")]
    unbroken = 0
    for newer, older in pairwise(starts):
        if newer - older != timedelta(minutes=1):
            break
        unbroken += 1
    return unbroken + 1 if starts else 0


def _too_old() -> int:
    from django.utils import timezone

    from performance import conf
    from performance.models import MetricBucket

    kept = timedelta(hours=conf.current().metrics.keep_minutes)
    return MetricBucket.objects.minutes().filter(start__lt=timezone.now() - kept).count()
