"""Requests by their ids: what is found, for how long, and in how many bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
import redis
from django.conf import settings
from django.test import override_settings

from performance import metrics
from performance.metrics import flusher, store, trail
from performance.metrics.trail import Step
from tests.performance.metrics.conftest import MOMENT
from tests.performance.metrics.settings import with_metrics

PAGE = ("conversations:list", "GET", "2xx")
Move = Callable[[datetime], None]


def answered(*ids: str, seconds: float = 0.25) -> None:
    for one in ids:
        metrics.remember(one, PAGE, seconds)
    assert metrics.flush()


def test_a_quick_request_is_found_by_its_id(at: Move) -> None:
    answered("one", "two")
    assert trail.of("two") == [Step(*PAGE, int(MOMENT.timestamp() - 0.25), 0.25)]
    assert trail.of("three") == []
    assert trail.since() == MOMENT - timedelta(seconds=1)


def test_requests_that_share_an_id_are_told_in_their_order(at: Move) -> None:
    answered("one")
    at(MOMENT + timedelta(hours=1))
    metrics.remember("one", ("conversations:events", "GET", "lifetime"), 300)
    metrics.remember("other", PAGE, 1)
    metrics.flush()
    assert [step.how for step in trail.of("one")] == ["2xx", "lifetime"]


def test_without_an_id_nothing_is_kept() -> None:
    metrics.remember("", PAGE, 1)
    metrics.flush()
    assert trail.since() is None


def test_it_takes_the_round_trip_of_the_metrics(queue_redis: redis.Redis) -> None:
    metrics.count("warm", 1)
    metrics.flush()
    metrics.count("beside_it", 1)
    before = queue_redis.info("commandstats")
    answered("one")
    after = queue_redis.info("commandstats")
    calls = {
        name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"]
        for name in ("cmdstat_eval", "cmdstat_rpush", "cmdstat_hset")
    }
    assert calls == {"cmdstat_eval": 2, "cmdstat_rpush": 1, "cmdstat_hset": 1}


def test_the_oldest_go_when_a_day_is_over(at: Move) -> None:
    answered("one")
    at(MOMENT + timedelta(hours=24, seconds=-1))
    answered("two")
    assert trail.of("one")
    at(MOMENT + timedelta(hours=24, seconds=1))
    answered("three")
    assert trail.of("one") == []
    assert trail.of("two")
    assert trail.since() == MOMENT + timedelta(hours=24, seconds=-2)


def test_no_more_bytes_are_kept_than_asked_for(queue_redis: redis.Redis) -> None:
    with override_settings(PERFORMANCE=with_metrics(KEEP_REQUESTS_MB=1)):
        for number in range(50):
            for request in range(2000):
                metrics.remember(f"{number}-{request}", PAGE, 0.1)
            metrics.flush()
        assert trail.of("49-1999")
        assert trail.of("0-0") == []
        used = queue_redis.memory_usage(store.TRAIL, samples=0)
        assert used is not None
        assert used < 1_100_000
        packets = queue_redis.lrange(store.TRAIL, 0, -1)
        told = int(queue_redis.get(f"{store.TRAIL}:bytes") or 0)
        assert told == sum(len(packet) + 16 for packet in packets) <= 1_000_000
        assert sum(map(len, packets)) / len(packets) / 2000 < 17  # bytes of a request


def test_they_may_be_done_without(queue_redis: redis.Redis) -> None:
    with override_settings(PERFORMANCE=with_metrics(KEEP_REQUESTS_MB=0)):
        answered("one")
    assert not queue_redis.exists(store.TRAIL)


def test_all_that_waits_is_read_window_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "AT_ONCE", 2)
    for number in range(5):
        answered(str(number))
    assert all(trail.of(str(number)) for number in range(5))


@pytest.mark.parametrize(
    "body",
    [
        b"\xc1" + trail._digest("one"),
        msgspec.msgpack.encode([("a view", "GET", "2xx", trail._digest("one"))]),
    ],
)
def test_a_packet_of_another_version_is_passed_over(queue_redis: redis.Redis, body: bytes) -> None:
    answered("one")
    queue_redis.rpush(store.TRAIL, b"\x00\x00\x00\x00" + body)
    assert len(trail.of("one")) == 1


def test_requests_wait_for_redis_as_long_as_their_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object) -> None:
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(flusher, "LONGEST_PAUSE", 0)
        patch.setattr(store, "write", away)
        for second in range(2 * flusher.MOST_PENDING):
            metrics.remember(str(second), PAGE, 0.25)
            assert not metrics.flush()
    answered("last")
    assert trail.of("0")
    assert trail.of("last")


def test_a_packet_that_was_sent_twice_counts_once(queue_redis: redis.Redis) -> None:
    answered("one")
    queue_redis.rpush(store.TRAIL, queue_redis.lindex(store.TRAIL, 0))
    assert len(trail.of("one")) == 1


def test_without_redis_nothing_is_found() -> None:
    with override_settings(PERFORMANCE=with_metrics(LOCATION="unix:///nowhere/queue.sock")):
        metrics.remember("one", PAGE, 1)
        assert not metrics.flush()
        assert trail.of("one") == []
        assert trail.since() is None
    assert settings.PERFORMANCE
