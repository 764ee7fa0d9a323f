"""A drill for each shipped rule: the fault is caused, the alert fires, the fault is mended, it resolves.

Time is simulated: rules hold for minutes. Faults are real (servers killed, connections held, statements
that are slow, backends that fail) but for those in SIMULATED, whose metric is recorded as their recorder
would: a full disk, a replica, a worker killed three times, and n minutes of slow pages.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from django.conf import settings as site
from django.core.cache import caches
from django.db import OperationalError, close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from chatsite.urls import urlpatterns as site_urls
from conversations.models import Conversation
from performance import alerts, health, metrics
from performance.alerts.defaults import DEFAULTS
from performance.cache import fleet
from performance.metrics.reading import read
from performance.models import Alert, AlertEvent, AlertRule, Notification
from performance.queries import log
from performance.queries.connections import PoolStatistics
from performance.queues import levers
from performance.queues.levels import Level
from performance.signals import task_parked
from performance.tasks.alerts import samples
from tests.conversations.test_replies import ask, write
from tests.factories import ConversationFactory
from tests.performance.queues.conftest import Workers, use
from tests.performance.queues.jobs.tasks import add, fail
from tests.servers import ThrowAwayValkey

pytestmark = pytest.mark.django_db(transaction=True)
DISK = namedtuple("DISK", "total used free")
SIMULATED = {"disk-full", "replication-lag", "tasks-parked"}
STEP = 5
Drill = Any


def failing(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of the drill")


def sleepy(request: HttpRequest) -> HttpResponse:
    """Twenty slow statements."""
    with connection.cursor() as cursor:
        for _ in range(20):
            cursor.execute("SELECT pg_sleep(0.003)")
    return HttpResponse("ok")


def one_by_one(request: HttpRequest) -> HttpResponse:
    names = [one.user.username for one in Conversation.objects.all()]
    return HttpResponse(str(len(names)))


def well(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("drill/failing/", failing, name="drill_failing"),
    path("drill/sleepy/", sleepy, name="drill_sleepy"),
    path("drill/one-by-one/", one_by_one, name="drill_one_by_one"),
    path("drill/well/", well, name="drill_well"),
    *site_urls,
]


class TheDrill:
    """A clock that is moved, and the shipped rules evaluated every five seconds of it."""

    def __init__(
        self, traveller: Any, valkey: Callable[..., ThrowAwayValkey], settings: Any
    ) -> None:
        self.traveller, self.settings = traveller, settings
        self.queue, self.cache = valkey(), valkey()
        use(settings, self.queue.url)
        settings.CACHES = {
            name: {**entry, "LOCATION": self.cache.url} for name, entry in settings.CACHES.items()
        }
        self.configure("METRICS", LOCATION=self.queue.url)
        self.now: datetime = timezone.now()

    def configure(self, section: str, **values: Any) -> None:
        block = self.settings.PERFORMANCE
        self.settings.PERFORMANCE = {**block, section: {**block[section], **values}}

    def evaluate(self, seconds: float = STEP) -> None:
        """Moves the clock, sends what was recorded, evaluates."""
        self.now += timedelta(seconds=seconds)
        self.traveller.move_to(self.now)
        log.send()
        metrics.flush()
        health.forget()
        alerts.evaluate(now=self.now, samples=samples())

    def state(self, name: str) -> str | None:
        found = Alert.objects.filter(rule__name=name).order_by("-pk").first()
        return found.state if found else None

    def until(
        self, name: str, state: str, within: float, each: Callable[[], None] | None, step: float
    ) -> None:
        end = self.now + timedelta(seconds=within)
        while self.state(name) != state:
            assert self.now < end, f"{name} is {self.state(name)}, not {state}"
            if each:
                each()
            self.evaluate(step)

    def fires(self, name: str, each: Callable[[], None] | None = None, within: float = 0) -> None:
        """It fires at most 10 seconds after the time for which it must hold."""
        rule = AlertRule.objects.get(name=name)
        self.evaluate()
        self.until(name, "firing", within or rule.hold + 15, each, STEP)

    def resolves(self, name: str, each: Callable[[], None] | None = None) -> None:
        rule = AlertRule.objects.get(name=name)
        longest = rule.window + rule.keep_firing
        step = max(STEP, longest / 12)
        self.until(name, "resolved", longest + 4 * step, each, step)


@pytest.fixture
def drill(settings: Any, valkey_server: Any) -> Iterator[TheDrill]:
    settings.ROOT_URLCONF = __name__
    # The seconds of the clock lie in the past: Redis must not take what is written for expired.
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield TheDrill(traveller, valkey_server, settings)
    health.forget()


@pytest.fixture
def get() -> Callable[[str], None]:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    return lambda name: client.get(f"/drill/{name}/") and None


def times(number: int, do: Callable[[], Any]) -> None:
    for _ in range(number):
        do()


def database_unreachable(drill: TheDrill, get: Any) -> None:
    """The server refuses new connections to the database; those that are open work on."""
    name = connection.settings_dict["NAME"]
    parts = site.DATABASE_URL.rpartition("/")[0]
    with psycopg.connect(f"{parts}/postgres", autocommit=True) as other:
        connection.ensure_connection()
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            drill.fires("database-unreachable")
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    drill.resolves("database-unreachable")


def queue_unreachable(drill: TheDrill, get: Any) -> None:
    drill.evaluate()
    drill.queue.kill()
    drill.fires("queue-unreachable")
    drill.queue.restart()
    drill.resolves("queue-unreachable")


def cache_unreachable(drill: TheDrill, get: Any) -> None:
    drill.evaluate()
    drill.cache.freeze()
    drill.fires("cache-unreachable")
    drill.cache.thaw()
    drill.resolves("cache-unreachable")


def worker_gone(drill: TheDrill, get: Any) -> None:
    drill.fires("worker-gone")
    workers = Workers(drill.queue.url)
    try:
        workers.begin()
        deadline = time.monotonic() + 20
        while not samples_of("workers") and time.monotonic() < deadline:
            time.sleep(0.05)
        drill.resolves("worker-gone")
    finally:
        workers.end()


def samples_of(metric: str) -> float:
    health.forget()
    return sum(sample.value for sample in samples() if sample.metric == metric)


def error_rate(drill: TheDrill, get: Any) -> None:
    def mostly_well() -> None:
        times(18, lambda: get("well"))
        times(2, lambda: get("failing"))

    mostly_well()
    drill.fires("error-rate", mostly_well)
    drill.resolves("error-rate", lambda: times(6, lambda: get("well")))


def slow_responses(drill: TheDrill, get: Any) -> None:
    """The threshold is lowered, so that the drill takes no minutes."""
    AlertRule.objects.filter(name="slow-responses").update(threshold=0.05, resolve_threshold=0.04)
    times(20, lambda: get("sleepy"))
    drill.fires("slow-responses")
    drill.resolves("slow-responses", lambda: times(6, lambda: get("well")))


def slow_queries(drill: TheDrill, get: Any) -> None:
    """A statement counts as slow from 2 ms, for the same reason."""
    drill.configure("QUERIES", SLOW_MS=2.0)
    drill.evaluate()
    times(5, lambda: get("sleepy"))
    drill.fires("slow-queries")
    drill.resolves("slow-queries")


def n_plus_one(drill: TheDrill, get: Any) -> None:
    times(8, ConversationFactory)
    times(12, lambda: get("one-by-one"))
    drill.fires("n-plus-one")
    drill.resolves("n-plus-one")


def query_budget(drill: TheDrill, get: Any) -> None:
    times(8, ConversationFactory)
    drill.configure("QUERIES", BUDGETS={"drill_one_by_one": {"max_queries": 3}})
    times(6, lambda: get("one-by-one"))
    drill.fires("query-budget")
    drill.resolves("query-budget")


def cache_hit_rate(drill: TheDrill, get: Any) -> None:
    cache = caches["default"]
    there = {f"there{number}": number for number in range(100)}
    cache.set_many(there)
    times(6, lambda: cache.get_many(f"missing{number}" for number in range(100)))
    fleet.reporter.flush()
    drill.fires("cache-hit-rate")
    times(15, lambda: cache.get_many(there))
    fleet.reporter.flush()
    drill.resolves("cache-hit-rate")


def queue_wait(drill: TheDrill, get: Any) -> None:
    add.enqueue(1, 2)
    drill.evaluate(61)
    drill.fires("queue-wait")
    levers.empty(Level.NORMAL)
    drill.resolves("queue-wait")


def tasks_failing(drill: TheDrill, get: Any) -> None:
    workers = Workers(drill.queue.url)
    try:
        workers.begin()
        results = [fail.enqueue("drill") for _ in range(12)]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not metrics_have("task_seconds", 12, drill):
            time.sleep(0.1)
        assert results
        drill.fires("tasks-failing")
    finally:
        workers.end()
    drill.resolves("tasks-failing")


def metrics_have(name: str, count: int, drill: TheDrill) -> bool:
    metrics.flush()
    lines = read(
        name, since=drill.now - timedelta(minutes=1), until=drill.now + timedelta(minutes=1)
    )
    return sum(point.summary.count for line in lines for point in line.points) >= count


def tasks_parked(drill: TheDrill, get: Any) -> None:
    """Simulated: the signal that a worker sends; tests/performance/queues parks real ones."""
    told = {"task": "t", "task_id": "1", "level": "low", "deliveries": 3, "worker": "w"}
    task_parked.send_robust(None, **told)
    drill.fires("tasks-parked")
    drill.now += timedelta(minutes=59)
    drill.resolves("tasks-parked")


def replication_lag(drill: TheDrill, get: Any, monkeypatch: Any) -> None:
    """Simulated: what a replica would say."""
    result = health.board.Result("database", True, 0.0, "", {"replication_lag_seconds": 45.0})
    with monkeypatch.context() as patch:
        patch.setattr(health, "look", lambda: [result])
        drill.fires("replication-lag")
    result.facts["replication_lag_seconds"] = 1.0
    with monkeypatch.context() as patch:
        patch.setattr(health, "look", lambda: [result])
        drill.resolves("replication-lag")


def pool_exhausted(drill: TheDrill, get: Any) -> None:
    """Threads hold every connection of the pool, and one more waits."""
    stop = threading.Event()

    def hold() -> None:
        while not stop.is_set():
            with suppress(OperationalError):  # the pool's own timeout
                connection.ensure_connection()
                stop.wait(20)
            connection.close()

    connection.ensure_connection()
    most = connection.settings_dict["OPTIONS"]["pool"]["max_size"]
    threads = [threading.Thread(target=hold) for _ in range(most + 2)]
    for thread in threads:
        thread.start()
    try:
        drill.fires("pool-exhausted", sample_pools)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    drill.resolves("pool-exhausted", sample_pools)


def sample_pools() -> None:
    PoolStatistics()()


def chat_failing(drill: TheDrill, get: Any) -> None:
    drill.settings.CHAT_BACKENDS = {"default": {"BACKEND": "tests.backends.ScriptedBackend"}}
    times(6, lambda: write(ask("fail timeout")))
    drill.fires("chat-failing")
    drill.evaluate(200)
    times(6, lambda: write(ask("say Hello")))
    drill.resolves("chat-failing")


def disk_full(drill: TheDrill, get: Any, monkeypatch: Any) -> None:
    """Simulated: what the system would say of a full disk."""
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: DISK(100, 95, 5))
        drill.fires("disk-full")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: DISK(100, 50, 50))
        drill.resolves("disk-full")


def label_overflow(drill: TheDrill, get: Any) -> None:
    drill.configure("METRICS", MOST_SERIES=5)
    for number in range(10):
        metrics.count("things_of_the_drill", who=f"user {number}")
    drill.fires("label-overflow")
    drill.resolves("label-overflow")


def metrics_missing(drill: TheDrill, get: Any, monkeypatch: Any) -> None:
    """Nobody sends what is recorded."""
    with monkeypatch.context() as patch:
        patch.setattr(metrics, "flush", lambda **_: False)
        drill.fires("metrics-missing")
    drill.resolves("metrics-missing")


def alerts_not_told(drill: TheDrill, get: Any) -> None:
    """The webhook's address is one inside."""
    options = {"url": "https://127.0.0.1/", "secret": "x" * 20}
    backend = "performance.alerts.channels.webhook.WebhookChannel"
    drill.configure("ALERTS", CHANNELS={"ops": {"BACKEND": backend, "OPTIONS": options}})
    label_rule = AlertRule.objects.get(name="worker-gone")
    drill.fires("worker-gone")
    drill.evaluate(10)
    alerts.deliver(now=drill.now)
    assert Notification.objects.filter(state="failed", alerts__rule=label_rule).exists()
    drill.fires("alerts-not-told")
    drill.configure("ALERTS", CHANNELS={})
    drill.now += timedelta(minutes=59)
    drill.resolves("alerts-not-told")


DRILLS = {
    name.replace("_", "-"): drill
    for name, drill in list(globals().items())
    if name.replace("_", "-") in {default.name for default in DEFAULTS}
}


def test_every_shipped_rule_has_a_drill() -> None:
    assert set(DRILLS) == {default.name for default in DEFAULTS}
    assert set(DRILLS) >= SIMULATED


@pytest.mark.parametrize("name", DRILLS)
def test_drill(name: str, drill: TheDrill, get: Any, monkeypatch: Any) -> None:
    wanted = DRILLS[name].__code__.co_varnames[: DRILLS[name].__code__.co_argcount]
    extra = {"monkeypatch": monkeypatch} if "monkeypatch" in wanted else {}

    DRILLS[name](drill, get, **extra)

    kinds = AlertEvent.objects.filter(alert__rule__name=name).values_list("kind", flat=True)
    assert {"pending", "fired", "resolved"} <= set(kinds)
    assert Path(site.BASE_DIR / f"docs/operations/runbooks/{name}.md").exists()
    close_old_connections()
