"""What only we have to say: the buffer, the flush, how soon one sees it, and what is stored."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

VIEWS = 20
RATE = 100  # requests a second
MINUTES = 3
STATEMENTS = 2000


def own_figures() -> dict[str, Any]:
    from django.conf import settings

    from performance import conf, metrics

    figures: dict[str, Any] = {}
    with _recording(settings, FLUSH_SECONDS=0):
        figures |= _buffer(metrics)
        figures["watch_statement_us"] = _statement()
        figures |= _storage(metrics)
    with _recording(settings, FLUSH_SECONDS=1.0):
        figures["event_to_readable_s"] = _delay(metrics)
    assert conf.current().metrics.enabled
    return figures


def _recording(settings: Any, **values: Any) -> Any:
    from django.test import override_settings

    block = settings.PERFORMANCE
    return override_settings(PERFORMANCE={**block, "METRICS": {**block["METRICS"], **values}})


def _buffer(metrics: Any) -> dict[str, float]:
    """Microseconds of CPU: to leave an event, and to work on it and send it later."""
    times = 20_000
    metrics.observe("warm_seconds", 0.1)
    metrics.flush()
    leave, work = [], []
    for _ in range(5):
        began = time.thread_time()
        for number in range(times):
            metrics.observe("bench_seconds", 0.001 * (number % 100 + 1), view="v")
        leave.append((time.thread_time() - began) / times * 1e6)
        began = time.thread_time()
        metrics.flush()
        work.append((time.thread_time() - began) / times * 1e6)
    return {"leave_event_us": round(min(leave), 3), "flush_event_us": round(min(work), 3)}


def _statement() -> float:
    """Microseconds of CPU that watching adds to a statement, on a server that answers at once."""
    from django.db import connection

    from performance.queries import scope

    def answered(*_args: Any) -> None:
        """In place of PostgreSQL."""

    def run() -> float:
        began = time.thread_time()
        for _ in range(STATEMENTS):
            cursor.execute("SELECT name FROM bench_item WHERE id = %s", [1])
        return (time.thread_time() - began) / STATEMENTS * 1e6

    watched, bare = [], []
    with connection.cursor() as cursor, connection.execute_wrapper(answered):
        for _ in range(15):
            bare.append(run())
            with scope.open(kind="request", name="bench"):
                watched.append(run())
    return round(min(watched) - min(bare), 2)


def _delay(metrics: Any) -> float:
    """Seconds from an event until a reader has it: the worst of five."""
    from datetime import timedelta

    from django.utils import timezone

    from performance.metrics.reading import read

    waits = []
    for number in range(5):
        name = f"delay_{number}"
        time.sleep(0.17 * number)
        began = time.monotonic()
        metrics.count(name)
        while time.monotonic() - began < 10:
            now = timezone.now()
            (line,) = read(name, since=now - timedelta(minutes=1), until=now + timedelta(seconds=1))
            if line.points[0].summary.count:
                break
            time.sleep(0.01)
        waits.append(time.monotonic() - began)
    return round(max(waits), 2)


def _storage(metrics: Any) -> dict[str, float]:
    """Minutes of a busy site through the real pipeline, on a clock that is told."""
    from django.db import connection

    from performance.metrics import rollup
    from performance.metrics.recorders import requests
    from performance.models import MetricBucket
    from performance.spending import Spending

    chance = random.Random(3)
    start = time.time() // 60 * 60 - MINUTES * 60
    clock = SimpleNamespace(time=lambda: start, monotonic=time.monotonic)
    with patch("performance.metrics.flusher.time", clock):
        for second in range(MINUTES * 60):
            clock.time = lambda second=second: start + second
            for _ in range(RATE):
                view = f"view_{int(chance.paretovariate(1)) % VIEWS}"
                status = chance.choices(["2xx", "3xx", "4xx", "5xx"], [90, 6, 3, 1])[0]
                answer = (
                    chance.choice(["GET", "GET", "POST"]),
                    status,
                    chance.randrange(500, 90_000),
                )
                took = chance.lognormvariate(-4, 0.8)
                spent = Spending()
                spent.cache, spent.render = took / 10, took / 2
                seen = SimpleNamespace(count=chance.randrange(1, 12), seconds=took / 3)
                metrics.record(requests.ended, view, answer, took, (seen, spent), 1)
            metrics.flush()
    began = time.thread_time()
    result = rollup.roll_up()
    took = time.thread_time() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('performance_metricbucket')")
        size = cursor.fetchone()[0]
    rows = MetricBucket.objects.minutes().count()
    minutes = MetricBucket.objects.minutes().values("start").distinct().count()
    return {
        "rows_a_day": round(rows / minutes * 1440),
        "bytes_a_row": round(size / max(rows, 1)),
        "megabytes_a_day": round(size / minutes * 1440 / 2**20, 1),
        "rollup_cpu_ms_a_minute": round(took / max(result.minutes, 1) * 1000, 1),
    }
