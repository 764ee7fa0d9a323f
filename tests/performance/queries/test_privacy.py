"""No value of a statement reaches a place outside of the process: canaries go in everywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.tasks import task
from django.test import Client
from django.urls import include, path
from pytest_django.fixtures import Settings

from performance.models import QueryFingerprint, QuerySample
from performance.queries import (
    BudgetExceeded,
    budget,
    log,
    parameters,
    parameters_of,
    scope,
    writing,
)
from performance.queries.fingerprint import fingerprint
from tests.factories import UserFactory

CANARY = "canary8d2f"
NUMBER = 918273645

pytestmark = pytest.mark.django_db


def statements() -> list[tuple[str, Any]]:
    return [
        ("SELECT name FROM auth_group WHERE name = %s", [CANARY]),
        ("SELECT name FROM auth_group WHERE name = %(name)s", {"name": CANARY}),
        (f"SELECT name FROM auth_group WHERE name = '{CANARY}'", None),
        (f"SELECT name FROM auth_group WHERE name = E'\\'{CANARY}' AND id = {NUMBER}", None),
        (f"SELECT name FROM auth_group WHERE name = $q${CANARY}$q$", None),
        (f"SELECT name FROM auth_group WHERE name IN ('x', 'a''b{CANARY}', U&'{CANARY}')", None),
        (f"SELECT 1 /* {CANARY} /* {CANARY} */ {CANARY} */ -- {CANARY}", None),
        (f"SELECT name FROM auth_group WHERE id = {NUMBER}", None),
        (f"SELECT '{{\"a\": \"{CANARY}\"}}'::jsonb -> '{CANARY}'", None),
        (f"SET LOCAL application_name = {CANARY}", None),
        (f"SET LOCAL application_name TO '{CANARY}'", None),
        (f"SELECT pg_sleep(0.003), '{CANARY}'", None),
        # What fails says its values in its error.
        (f"SELECT '{CANARY}'::int", None),
        ("SELECT %s::int", [CANARY]),
        (f"SELECT 'never ends {CANARY}", None),
        (f"nonsense '{CANARY}' {NUMBER}", None),
    ]


def work() -> None:
    for sql, params in statements():
        with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
    with suppress(DatabaseError), transaction.atomic():
        Group.objects.create(name=CANARY)
        Group.objects.create(name=CANARY)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany("SELECT %s::text", [(CANARY,), (CANARY,)])
        with cursor.copy("COPY auth_group (name) FROM STDIN") as copy:
            copy.write_row([CANARY])
        cursor.execute("DELETE FROM auth_group WHERE name = %s", [CANARY])
    for number in range(4):
        User.objects.filter(username=f"{CANARY} {number}").first()
        Group.objects.filter(name=CANARY).first()


def view(request: HttpRequest) -> HttpResponse:
    work()
    return HttpResponse()


@task
def job() -> None:
    work()


class Command(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        work()


urlpatterns = [path("view/", view, name="view"), path("", include("chatsite.urls"))]


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Every line that is logged, as text, with its error."""
    lines: list[str] = []
    handler = logging.Handler()
    formatter = logging.Formatter("%(name)s %(message)s")
    handler.emit = lambda record: lines.append(formatter.format(record))  # type: ignore[method-assign]
    names = ("", "performance", "performance.queries", "django.db.backends", "django.tasks")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield lines
    for name in names:
        logging.getLogger(name).removeHandler(handler)


def in_postgresql() -> str:
    with connection.cursor() as cursor:
        tables = [
            name
            for name in connection.introspection.table_names(cursor)
            if name.startswith("performance_")
        ]
        text = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            text += [row[0] for row in cursor]
    assert len(tables) > 10
    return "\n".join(text)


def in_redis() -> str:
    found = []
    for url in (django_settings.QUEUE_URL, django_settings.CACHE_URL):
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter():
                kind = client.type(key).decode()
                value: Any = {
                    "string": client.get,
                    "hash": client.hgetall,
                    "set": client.smembers,
                    "stream": client.xrange,
                    "list": lambda k: client.lrange(k, 0, -1),
                    "zset": lambda k: client.zrange(k, 0, -1),
                }[kind](key)
                found.append(f"{key!r} {value!r}")
    return "\n".join(found)


def pages(client: Client) -> str:
    addresses = [
        "/admin/performance/queryfingerprint/",
        "/admin/performance/queryfingerprint/?period=7&is=all",
        "/admin/performance/querysample/",
        "/metrics",
        *(f"/admin/performance/queryfingerprint/{q.pk}/change/" for q in QueryFingerprint.objects.all()),
        *(f"/admin/performance/querysample/{s.pk}/change/" for s in QuerySample.objects.all()[:20]),
    ]  # fmt: skip
    text = []
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        text.append(response.content.decode())
    return "\n".join(text)


def test_canaries_stay_in_the_process(
    settings: Settings, queue_redis: redis.Redis, cache_redis: redis.Redis, heard: list[str]
) -> None:
    log.send()
    queue_redis.flushdb()
    settings.ROOT_URLCONF = __name__
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    settings.PERFORMANCE = settings.PERFORMANCE | {
        "QUERIES": {"SLOW_MS": 2, "SAMPLE_RATE": 1.0, "BUDGETS": {"*": {"max_queries": 1}}}
    }
    client = Client()
    client.get("/view/")
    job.enqueue()
    call_command(Command())
    with pytest.raises(BudgetExceeded) as raised, budget(max_queries=0):
        work()
    log.send(last=True)
    sent = in_redis()
    writing.write()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    shown = pages(client)

    assert "log" in sent
    assert QueryFingerprint.objects.count() > 15
    findings = set(QuerySample.objects.values_list("finding", flat=True))
    assert {"slow", "n_plus_one", "duplicate", "sampled", "budget"} <= findings
    assert any("query_budget_exceeded" in line for line in heard)
    sinks = {
        "redis": sent,
        "redis, later": in_redis(),
        "postgresql": in_postgresql(),
        "log": "\n".join(heard),
        "pages": shown,
        "budget": str(raised.value),
    }
    for value in (CANARY, str(NUMBER)):
        assert [name for name, text in sinks.items() if value in text] == []


def test_values_are_known_to_the_process_alone() -> None:
    parameters.forget()
    with scope.open(kind="request", name="view"), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM auth_group WHERE name = %s", [CANARY])
    log.send()
    found = parameters_of(fingerprint("SELECT name FROM auth_group WHERE name = 'x'").id)

    assert [one.params for one in found] == [[CANARY]]
    assert CANARY not in repr(found)
