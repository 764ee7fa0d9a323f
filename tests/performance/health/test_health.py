from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from performance import health, metrics
from performance.health import databases, errors, sampling, servers
from performance.health.board import Board, Unwell
from performance.models import AlertEvaluation
from performance.queues.inspection import WorkerState
from tests.performance.metrics.stored import found
from tests.servers import ThrowAwayValkey

pytestmark = pytest.mark.django_db


def with_health(**values: object) -> dict[str, dict[str, Any]]:
    from django.conf import settings

    block: dict[str, dict[str, Any]] = settings.PERFORMANCE
    return {**block, "HEALTH": {**block["HEALTH"], **values}}


@pytest.fixture(autouse=True)
def _nobody_asked_before(queue_redis: object) -> Iterator[None]:
    health.forget()
    yield
    health.forget()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker, as the inspection tells it."""
    state = WorkerState(
        name="w", host="h", pid=1, levels=[], state="busy", in_flight=3, concurrency=100,
        memory=1, successful=0, failed=0, born=None, heard=None,
    )  # fmt: skip
    monkeypatch.setattr(servers.inspection, "workers", lambda: [state])


def test_live_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert (response.status_code, response.content) == (200, b"ok")
    assert client.post("/health/live").status_code == 405


@pytest.mark.usefixtures("worker")
def test_ready_where_all_answer(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/ready")
    assert response.status_code == 200, response.json()
    assert response.json() == {
        "status": "ready",
        "services": dict.fromkeys(["database", "migrations", "cache", "queue", "workers"], "up"),
    }
    assert "no-store" in response.headers["Cache-Control"]


def test_not_ready_without_a_worker_unless_it_is_optional(client: Client) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["services"]["workers"] == "down"
    with override_settings(PERFORMANCE=with_health(OPTIONAL=["workers"])):
        assert client.get("/health/ready").status_code == 200


@pytest.mark.usefixtures("worker")
def test_not_ready_without_the_database(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**kwargs: object) -> None:
        raise ConnectionRefusedError("postgres://user:secret@host")

    from django.db import connections

    monkeypatch.setattr(connections["default"].Database, "connect", refused)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["services"]["database"] == "down"
    assert "secret" not in response.content.decode()


@pytest.mark.usefixtures("worker")
def test_a_frozen_redis_costs_the_timeout_and_no_more(
    settings: Settings, valkey_server: Callable[..., ThrowAwayValkey], client: Client
) -> None:
    server = valkey_server()
    settings.RQ_QUEUES = {
        name: {**entry, "URL": server.url} for name, entry in settings.RQ_QUEUES.items()
    }
    settings.PERFORMANCE = with_health(TIMEOUT=0.3, LIFETIME=0.0)
    assert client.get("/health/ready").status_code == 200
    server.freeze()
    try:
        for _ in range(3):
            answer = client.get("/health/ready").json()
            assert answer["services"]["queue"] == "down"
            assert answer["services"]["database"] == "up"
        # One probe hangs, and no second one was started beside it.
        assert [thread.name for thread in threading.enumerate()].count("health-queue") <= 1
    finally:
        server.thaw()


def test_migrations_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = databases.Migrations()
    probe._wanted = {("performance", "9999_of_tomorrow")}
    with pytest.raises(Unwell, match="not applied"):
        probe()
    probe._wanted = None
    assert probe() == {"pending": 0}


def test_detail_is_for_staff_and_the_token(client: Client, django_user_model: type[User]) -> None:
    assert client.get("/health/detail").status_code == 403
    assert client.get("/health/detail", headers={"Authorization": "Bearer "}).status_code == 403
    client.force_login(django_user_model.objects.create_user("bob"))
    assert client.get("/health/detail").status_code == 403
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    assert client.get("/health/detail").status_code == 200
    with override_settings(PERFORMANCE=with_health(TOKEN="t" * 32)):
        for shown, status in (("t" * 32, 200), ("t" * 31, 403), ("é", 403)):
            headers = {"Authorization": f"Bearer {shown}"}
            assert Client(headers=headers).get("/health/detail").status_code == status


@pytest.mark.usefixtures("worker")
def test_detail_tells_everything() -> None:
    metrics.observe("request_seconds", 0.1, view="a", method="GET", status="5xx")
    metrics.count("query_errors", n=4, alias="default", error="DataError")
    metrics.flush()
    told = json.loads(json.dumps(health.detail(), default=str))

    assert told["status"] == "ok"
    assert told["version"]
    database = told["services"]["database"]
    assert database["status"] == "up"
    assert database["errors"] == 4
    assert database["latency_ms"] > 0
    assert int(database["version"].split(".")[0]) >= 15
    assert database["uptime_seconds"] >= 0
    assert 0 < database["connections"] <= database["max_connections"]
    assert "." in told["services"]["cache"]["version"]
    assert told["services"]["queue"]["policy"] == "noeviction"
    assert told["services"]["workers"]["in_flight"] == 3
    assert told["errors"]["web"] == 1
    assert {level["level"] for level in told["queues"]} >= {"critical", "low"}
    assert told["pools"]["default"]["used"] >= 1
    assert told["pools"]["default"]["max"] == 6


def test_errors_are_unknown_while_the_store_is_away() -> None:
    down = [health.reports.Result("queue", False, 0.1, "no answer")]
    assert errors.lately(down) is None


@pytest.mark.usefixtures("worker")
def test_health_is_sampled_as_metrics() -> None:
    assert sampling.sample() == 0
    metrics.flush()

    assert found("service_up", service="database").mean == 1
    assert found("service_seconds", service="queue").count == 1
    assert found("workers").mean == 1
    assert found("queue_length", level="high").count == 1
    assert 0 < (found("disk_free_ratio", path="/").mean or 0) <= 1


def test_a_service_that_hangs_is_asked_once() -> None:
    asked = []
    release = threading.Event()

    def ask() -> dict[str, object]:
        asked.append(1)
        release.wait(10)
        return {}

    board = Board([("slow", ask), ("quick", dict)], timeout=0.05, lifetime=0.0)
    for _ in range(3):
        slow, quick = board.look()
        assert (slow.is_up, slow.error, quick.is_up) == (False, "no answer", True)
    assert len(asked) == 1
    release.set()
    time.sleep(0.05)
    release.clear()


def test_an_answer_is_given_again_for_its_lifetime() -> None:
    asked: list[int] = []

    def ask() -> dict[str, object]:
        asked.append(1)
        raise ConnectionError("host and password")

    board = Board([("gone", ask)], timeout=1, lifetime=60)
    assert [board.look()[0].error, board.look()[0].error] == ["ConnectionError"] * 2
    assert len(asked) == 1


def test_detail_tells_when_the_rules_were_evaluated(
    client: Client, django_user_model: type[User]
) -> None:
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    AlertEvaluation.objects.all().delete()
    assert client.get("/health/detail").json()["alerts"]["evaluated_seconds_ago"] is None

    AlertEvaluation.objects.create(at=timezone.now() - timedelta(seconds=100))

    assert 99 < client.get("/health/detail").json()["alerts"]["evaluated_seconds_ago"] < 160
