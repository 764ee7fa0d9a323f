"""Rates, quantiles and failures of the runs of a period, by task and level, from their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from performance.models import TaskRun


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatistics:
    """Times in seconds, rate in runs a minute."""

    task: str
    level: str
    runs: int
    per_minute: float
    failures: int
    retries: int
    waited_p50: float
    waited_p95: float
    waited_p99: float
    ran_p50: float
    ran_p95: float
    ran_p99: float


_QUERY = """
    SELECT task, level, count(*),
           count(*) FILTER (WHERE status IN ('failed', 'parked')),
           count(*) FILTER (WHERE status IN ('retried', 'lost')),
           percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY waited),
           percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ran)
      FROM {table}
     WHERE finished_at >= %s
     GROUP BY task, level
     ORDER BY count(*) DESC, task, level
"""


def by_task(period: timedelta = timedelta(hours=1)) -> list[TaskStatistics]:
    """Statistics of the last `period`, most frequent first, in one query."""
    table = connection.ops.quote_name(TaskRun._meta.db_table)  # noqa: SLF001
    with connection.cursor() as cursor:
        cursor.execute(_QUERY.format(table=table), [timezone.now() - period])
        return [
            TaskStatistics(
                task=task,
                level=level,
                runs=runs,
                per_minute=runs / (period.total_seconds() / 60),
                failures=failures,
                retries=retries,
                waited_p50=waited[0],
                waited_p95=waited[1],
                waited_p99=waited[2],
                ran_p50=ran[0],
                ran_p95=ran[1],
                ran_p99=ran[2],
            )
            for task, level, runs, failures, retries, waited, ran in cursor.fetchall()
        ]
