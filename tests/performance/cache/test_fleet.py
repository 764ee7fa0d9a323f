from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
import redis
from django.conf import settings as site
from django.core.cache import cache
from django.core.management import CommandError, call_command

from performance.cache import namespace, remember
from performance.cache.counts import Histogram, quantile
from performance.cache.engine import close_engines
from performance.cache.fleet import Reporter
from performance.cache.signals import cache_measured


@pytest.fixture(autouse=True)
def backend(settings: Any, cache_redis: redis.Redis) -> Any:
    place = {"BACKEND": "performance.cache.backends.RedisCache", "LOCATION": site.CACHE_URL}
    settings.CACHES = {"default": {**place, "KEY_PREFIX": "fleet"}}
    yield
    close_engines()


def use_it() -> None:
    cache.set("key", "value " * 100)
    cache.get("key")
    cache.get("missing")
    remember("loaded", lambda: 1)
    namespace("user:1").set("a", 1)
    namespace("user:1").get("a")
    cache.delete("key")


def reported(*arguments: str) -> Any:
    out = StringIO()
    call_command("cache_stats", *arguments, stdout=out)
    return out.getvalue()


def test_stats_of_this_process() -> None:
    use_it()
    stats = cache.stats()
    assert (stats["hits"], stats["deletes"], stats["loads"]) == (2, 1, 1)
    assert stats["sets"] == 3
    assert stats["hit_rate"] == stats["all_hits"] / (stats["all_hits"] + stats["misses"])
    assert stats["bytes_stored"] < stats["bytes_raw"]
    assert stats["namespaces"]["user"]["hits"] == 1
    assert stats["latency_ms"]["p50"] > 0
    assert stats["local"] is None


def test_processes_add_up() -> None:
    use_it()
    Reporter().flush()
    Reporter().flush()  # another process that counted the same
    found = json.loads(reported("--format", "json"))["default"]
    assert found["hits"] == 2 * cache.stats()["hits"]
    assert found["namespaces"]["user"]["sets"] == 2
    assert found["load_ms"]["p50"] is not None
    assert "generation" not in found["namespaces"]


def test_a_process_reports_a_thing_once() -> None:
    told: list[dict[str, int]] = []

    def receive(alias: str, counts: dict[str, int], **kwargs: Any) -> None:
        told.append(counts)

    cache_measured.connect(receive)
    reporter = Reporter()
    use_it()
    reporter.flush()
    reporter.flush()
    cache.get("key")
    reporter.flush()
    assert told[0]["|sets"] == 2
    assert "|sets" not in told[-1]
    assert told[-1]["|misses"] == 1
    found = json.loads(reported("--format", "json"))["default"]
    assert found["sets"] == 3


def test_a_miss_that_is_loaded_is_one_miss() -> None:
    remember("loaded", lambda: 1)
    remember("loaded", lambda: 2)
    stats = cache.stats()
    assert (stats["hits"], stats["misses"], stats["loads"]) == (1, 1, 1)


def test_the_table() -> None:
    use_it()
    Reporter().flush()
    lines = reported().splitlines()
    assert "hit rate" in lines[0]
    assert lines[1].startswith("default")
    assert lines[2].startswith("  user")


def test_watching_ends_by_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("performance.management.commands.cache_stats.time.sleep", sleep)
    lines = reported("--watch", "--format", "json").splitlines()
    assert [list(json.loads(line)) for line in lines] == [["default"]] * 3
    assert slept == [2, 2, 2]


@pytest.mark.parametrize(
    "wrong", ["--minutes=0", "--minutes=121", "--minutes=x", "--watch=0", "--watch=-1", "--watch=x"]
)
def test_what_cannot_be_asked_for(wrong: str) -> None:
    with pytest.raises(
        CommandError, match=r"is not a (whole number from 1 to 120|number of seconds)"
    ):
        reported(wrong)


def test_a_server_that_is_away_is_said_and_is_the_exit_status(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "performance.cache.backends.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    with pytest.raises(SystemExit) as exit_:
        reported("--format", "json")
    assert exit_.value.code == 1


def test_latency_and_failures_of_all_processes() -> None:
    use_it()
    cache.engine.failed(TimeoutError())
    Reporter().flush()
    found = json.loads(reported("--format", "json"))["default"]
    assert found["errors_by_class"] == cache.stats()["errors_by_class"] == {"TimeoutError": 1}
    for times in (found, found["namespaces"]["user"], cache.stats()["namespaces"]["user"]):
        assert 0 < times["latency_ms"]["p50"] <= times["latency_ms"]["p99"]
    assert "failed: TimeoutError 1" in reported()


def test_evictions_are_counted_where_they_happen(settings: Any) -> None:
    place = {"BACKEND": "performance.cache.backends.TieredCache", "LOCATION": site.CACHE_URL}
    few = {"LOCAL_MAX_ENTRIES": 5, "SOCKET_TIMEOUT": 5}
    settings.CACHES = {"default": {**place, "KEY_PREFIX": "few", "OPTIONS": few}}
    assert cache.engine.tracker.wait(5)
    space = namespace("user:1")
    for number in range(20):
        space.set(str(number), number)
        assert space.get(str(number)) == number
    stats = cache.stats()
    assert stats["namespaces"]["user"]["evictions"] > 5
    assert stats["evictions"] == stats["namespaces"]["user"]["evictions"]
    assert stats["local"]["evictions"] >= stats["evictions"]  # with those of generations


def test_quantiles_within_ten_percent() -> None:
    histogram = Histogram()
    for milliseconds in range(1, 1001):
        histogram.observe(milliseconds / 1000)
    for q in (0.5, 0.95, 0.99):
        assert quantile(histogram.buckets, q) == pytest.approx(q, rel=0.1)
    assert quantile({}, 0.5) is None
