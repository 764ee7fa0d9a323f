from __future__ import annotations

import io
import json
import threading
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import override_settings
from django.utils import timezone

from performance import metrics
from performance.metrics import pruning, rows
from performance.metrics.definitions import Kind
from performance.metrics.series import Series
from performance.metrics.summary import Summary
from performance.models import MetricBucket, MetricSeries
from tests.performance.metrics.settings import with_metrics

APPLES = Series("apples", ())


def fill(resolution: int, count: int, every: timedelta, series: Series = APPLES) -> datetime:
    """`count` rows, the newest of them now."""
    now = timezone.now().replace(second=0, microsecond=0)
    rows.register([(series, Kind.COUNTER)])
    summary = Summary()
    summary.add(1)
    rows.write(
        resolution,
        [rows.Bucket(series.id, now - every * number, summary) for number in range(count)],
    )
    return now


@pytest.mark.django_db
def test_what_is_too_old_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 7)
    fill(rows.MINUTE, 50, timedelta(hours=1))
    fill(rows.HOUR, 40, timedelta(days=1))
    old = Series("pears", ())
    rows.register([(old, Kind.COUNTER)])
    MetricSeries.objects.filter(pk=old.id).update(first_seen=timezone.now() - timedelta(days=40))
    steps: list[int] = []
    pruned = pruning.prune(steps.append)

    assert (pruned.minutes, pruned.hours, pruned.series) == (26, 10, 1)
    assert steps[:4] == [7, 14, 21, 26]
    assert MetricBucket.objects.minutes().count() == 24
    assert MetricBucket.objects.hours().count() == 30
    assert [series.name for series in MetricSeries.objects.all()] == ["apples"]
    again = pruning.prune()
    assert (again.minutes, again.hours, again.series) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_pruning_waits_for_no_writer_and_none_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 100)
    fill(rows.MINUTE, 3000, timedelta(minutes=1))
    stop, written, failed = threading.Event(), [], []

    def write() -> None:
        number = 0
        try:
            while not stop.is_set() or number < 20:
                number += 1
                fill(rows.MINUTE, 20, timedelta(minutes=1), Series(f"pears_{number % 5}", ()))
                written.append(number)
        except Exception as error:  # noqa: BLE001 - told at the end
            failed.append(error)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    pruned = pruning.prune()
    stop.set()
    writer.join()

    assert not failed
    assert len(written) >= 20
    assert 1500 <= pruned.minutes <= 1570
    newest = MetricBucket.objects.minutes().filter(series=APPLES.id).count()
    assert 1430 <= newest <= 1450


@pytest.mark.django_db
def test_pruning_and_the_newest_minute_use_the_index() -> None:
    fill(rows.MINUTE, 2000, timedelta(minutes=1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE performance_metricbucket")
        cursor.execute("SET LOCAL enable_seqscan = off")
        old = MetricBucket.objects.minutes().filter(start__lt=timezone.now() - timedelta(hours=24))
        assert "metricbucket_age" in old.order_by("start")[:100].explain()
        assert "metricbucket_age" in MetricBucket.objects.minutes().order_by("-start")[:1].explain()


@pytest.mark.django_db
@pytest.mark.usefixtures("queue_redis")
def test_the_commands_report() -> None:
    metrics.count("apples")
    metrics.flush()
    fill(rows.MINUTE, 30, timedelta(hours=1), Series("pears", ()))
    out = io.StringIO()
    call_command("roll_up", format="json", stdout=out)
    assert json.loads(out.getvalue())["busy"] is False
    out = io.StringIO()
    call_command("roll_up", stdout=out)
    assert "minutes looked at" in out.getvalue()
    out = io.StringIO()
    call_command("prune", format="json", stdout=out)
    deleted = json.loads(out.getvalue())
    assert deleted.pop("metric_minutes") == 6
    assert set(deleted) == {"metric_hours", "metric_series", "task_runs", "query_log", "alerts"}
    out = io.StringIO()
    call_command("prune", stdout=out)
    assert "0  metric minutes" in out.getvalue()


@pytest.mark.django_db
def test_a_rollup_without_redis_says_so() -> None:
    with (
        override_settings(PERFORMANCE=with_metrics(LOCATION="redis://127.0.0.1:1/0")),
        pytest.raises(CommandError, match="Redis does not answer") as raised,
    ):
        call_command("roll_up")
    assert raised.value.returncode == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("queue_redis")
def test_a_second_rollup_at_the_same_time_leaves_it_to_the_first() -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [0x6D657472])
    try:
        out = io.StringIO()
        with pytest.raises(SystemExit) as left:
            call_command("roll_up", stdout=out)
        assert left.value.code == 1
        assert "Another process" in out.getvalue()
    finally:
        with other.cursor() as cursor:
            # Closing gives the connection back to the pool, with the lock in its hands.
            cursor.execute("SELECT pg_advisory_unlock(%s)", [0x6D657472])
        other.close()
