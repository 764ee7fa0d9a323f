from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import redis
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from performance.metrics import store
from performance.models import (
    CallSite,
    QueryFingerprint,
    QueryLogProcess,
    QuerySample,
    QueryStatistics,
)
from performance.queries import fingerprint, log, pruning, scope, writing
from performance.queries.batches import Batch, Caller, Hour, Sample, Text, pack
from performance.queries.fingerprint import OTHER
from performance.queries.holding import HOLD, Held

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(queue_redis: redis.Redis) -> Iterator[None]:
    log.send()
    queue_redis.delete(log.STREAM)
    yield
    log.send()


def ran(*statements: str, name: str = "view", slow_ms: float = 1e9) -> None:
    with scope.open(kind="request", name=name) as seen, connection.cursor() as cursor:
        seen.detailed = False
        seen.slow = int(slow_ms * 1e6)
        for statement in statements:
            cursor.execute(statement)


def written() -> int:
    log.send(last=True)
    return writing.write().batches


def batch(number: int, *ids: int, process: str = "a") -> Batch:
    summary = (2.0, 0.5, 0.1, 0.4, {2000: 2})
    return Batch(
        process=process,
        number=number,
        texts=[Text(one, f"SELECT {one}", "select", (), "default") for one in ids],
        hours=[Hour(one, 3600, 5, 0, summary) for one in ids],
        callers=[Caller(one, "request", "view", "a.py", "f", 3, False, 2, 0.5) for one in ids],
        samples=[],
    )


def deliver(*batches: Batch) -> None:
    for one in batches:
        store.client().xadd(log.STREAM, {"batch": pack(one)})


def test_statements_become_rows_of_their_fingerprint() -> None:
    ran("SELECT 1 FROM auth_group", "SELECT 2 FROM auth_group", "SELECT name FROM auth_group")

    assert written() == 1
    one = QueryFingerprint.objects.get(id=fingerprint.fingerprint("SELECT 3 FROM auth_group").id)
    assert (one.sql, one.kind, one.tables) == (
        "SELECT ? FROM auth_group",
        "select",
        ["auth_group"],
    )
    hour = one.statistics.get()
    assert (hour.calls, hour.errors, hour.rows) == (2, 0, 0)
    assert 0 < hour.max_seconds <= hour.seconds
    assert sum(msgspec.msgpack.decode(hour.sketch, type=dict[int, int]).values()) == 2
    site = one.call_sites.get()
    assert (site.scope_kind, site.scope_name, site.file, site.calls) == ("request", "view", "", 2)


def test_a_slow_statement_is_kept_with_its_line() -> None:
    ran("SELECT pg_sleep(0.002)", slow_ms=1)
    written()

    sample = QuerySample.objects.get()
    assert (sample.finding, sample.scope_name, sample.times) == ("slow", "view", 1)
    assert sample.file == "tests/performance/queries/test_writing.py"
    assert sample.function == "ran"
    assert sample.seconds >= 0.002


def test_alike_samples_are_one_row_with_their_number() -> None:
    for _ in range(3):
        ran("SELECT pg_sleep(0.002)", slow_ms=1)
    written()

    assert QuerySample.objects.get().times == 3


def test_what_a_loop_costs_is_told_with_its_remedy() -> None:
    with scope.open(kind="task", name="tasks.work"):
        for name in "abcd":
            Group.objects.filter(name=name).first()
    written()

    sample = QuerySample.objects.exclude(finding="sampled").get()
    assert (sample.finding, sample.scope_kind, sample.repeats) == ("n_plus_one", "task", 4)
    assert "filter(name__in=...)" in sample.remedy


def test_the_logs_own_tables_are_not_logged() -> None:
    with scope.open(kind="request", name="admin"):
        list(QueryFingerprint.objects.all())
    written()

    assert not QueryFingerprint.objects.exists()


def test_a_batch_that_comes_again_counts_once() -> None:
    deliver(batch(1, 7), batch(1, 7), batch(2, 7), batch(1, 7, process="b"))
    writing.write()
    deliver(batch(1, 7), batch(2, 7), batch(3, 7))
    writing.write()

    hour = QueryStatistics.objects.get()
    assert hour.calls == 2 * 4
    assert msgspec.msgpack.decode(hour.sketch, type=dict[int, int]) == {2000: 8}
    assert CallSite.objects.get().calls == 2 * 4
    assert store.client().xlen(log.STREAM) == 0


def test_a_writer_that_dies_before_it_cleans_up_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deliver(batch(1, 7))

    def die(_entries: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "_forget", die)
        with pytest.raises(KeyboardInterrupt):
            writing.write()
    writing.write()

    assert QueryStatistics.objects.get().calls == 2


def test_what_speaks_of_a_fingerprint_whose_text_was_lost_costs_no_other() -> None:
    lost = batch(1, 7)
    lost.texts = []
    lost.samples = [
        Sample(
            fingerprint=7, finding="slow", scope_kind="request", scope_name="view", file="a.py",
            function="f", line=1, template=False, seconds=1.0, repeats=1, times=1, remedy="",
            correlation_id="", at=0.0,
        )
    ]  # fmt: skip
    deliver(lost, batch(2, 8))
    writing.write()

    kept = {one.fingerprint_id: one.calls for one in QueryStatistics.objects.all()}
    assert kept == {8: 2, OTHER.id: 2}
    assert not QuerySample.objects.exists()


def test_alike_samples_wait_for_each_other() -> None:
    held = Held()

    def sample() -> Sample:
        return Sample(
            fingerprint=7, finding="slow", scope_kind="request", scope_name="view", file="a.py",
            function="f", line=1, template=False, seconds=1.0, repeats=1, times=1, remedy="",
            correlation_id="", at=0.0,
        )  # fmt: skip

    held.add([sample()])
    assert [one.times for one in held.take(0)] == [1]
    held.add([sample()])
    held.add([sample()])
    assert held.take(HOLD - 1) == []
    assert [one.times for one in held.take(HOLD)] == [2]
    held.add([sample()])
    assert [one.times for one in held.take(HOLD + 1, everything=True)] == [1]
    assert not held


def test_an_unreadable_batch_costs_no_other() -> None:
    store.client().xadd(log.STREAM, {"batch": b"nonsense"})
    store.client().xadd(log.STREAM, {"other": b"1"})
    deliver(batch(1, 7))
    writing.write()

    assert QueryStatistics.objects.count() == 1


def test_a_batch_that_the_database_refuses_costs_no_other() -> None:
    refused = batch(1, 8, process="b")
    refused.texts = [Text(8, "SELECT 8", "select", ("a\x00b",), "default")]
    deliver(batch(1, 7), refused, batch(1, 9, process="c"))
    writing.write()

    assert set(QueryFingerprint.objects.values_list("id", flat=True)) == {7, 9}
    assert store.client().xlen(log.STREAM) == 0


def test_fingerprints_beyond_the_limit_are_counted_as_one(settings: Settings) -> None:
    settings.PERFORMANCE = settings.PERFORMANCE | {"QUERIES": {"MAX_FINGERPRINTS": 3}}
    deliver(batch(1, 1, 2))
    writing.write()
    deliver(batch(2, 1, 2, 3, 4, 5))
    writing.write()

    kept = {one.fingerprint_id: one.calls for one in QueryStatistics.objects.all()}
    assert kept == {1: 4, 2: 4, 3: 2, OTHER.id: 4}
    assert set(CallSite.objects.values_list("fingerprint_id", flat=True)) == {1, 2, 3}


def test_writing_again_asks_as_many_questions_however_many_rows(
    django_assert_max_num_queries: Any,
) -> None:
    deliver(batch(1, *range(1, 40)))

    with django_assert_max_num_queries(13):
        writing.write()


def test_old_rows_go_and_what_staff_ignore_stays() -> None:
    deliver(batch(1, 1, 2))
    writing.write()
    long_ago = timezone.now() - timedelta(days=60)
    QueryStatistics.objects.update(hour=long_ago)
    CallSite.objects.update(last_seen=long_ago)
    QueryFingerprint.objects.update(last_seen=long_ago)
    QueryFingerprint.objects.filter(id=2).update(status=QueryFingerprint.Status.IGNORED)
    QueryLogProcess.objects.update(at=long_ago)

    assert pruning.prune() == 2 + 2 + 1 + 1
    assert list(QueryFingerprint.objects.values_list("id", flat=True)) == [2]


def test_without_redis_the_batch_is_kept(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    mine = log.Log()
    monkeypatch.setattr(log._Here, "log", mine)
    location = settings.PERFORMANCE["METRICS"]["LOCATION"]
    ran("SELECT 1 FROM auth_group")
    log.ended.empty(at_once=True)
    log.metrics.flush()
    settings.PERFORMANCE = settings.PERFORMANCE | {"METRICS": {"LOCATION": "redis://127.0.0.1:1/0"}}
    mine.send()
    with pytest.raises(writing.QueryLogUnavailable):
        writing.write()
    settings.PERFORMANCE = settings.PERFORMANCE | {"METRICS": {"LOCATION": location}}
    mine.send()

    assert writing.write().batches == 1
    assert QueryStatistics.objects.get().calls == 1
