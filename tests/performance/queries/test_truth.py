"""Everything that the server was asked is in the log: a sequence counts there, the log here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import copy_context
from threading import Thread
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, connections, models
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.tasks import TaskResultStatus, task
from django.tasks.signals import task_finished, task_started
from django.test import AsyncClient, Client
from django.urls import path
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from performance.queries import log, scope
from performance.queries.scope import Scope
from performance.signals import child_ended, child_started

Logged = Callable[[], list[Scope]]

pytestmark = pytest.mark.django_db(transaction=True)

ASK = "SELECT nextval('watched')"


class Watched(models.Model):
    """Rows whose reading counts in the sequence; asked through the ORM."""

    class Meta:
        managed = False
        app_label = "performance"
        db_table = "watched_rows"


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute(ASK)


def ask_all(times: int) -> None:
    for _ in range(times):
        ask()


def ask_many(times: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(f"{ASK} WHERE %s", [(True,)] * times)


def ask_in_threads(times: int) -> None:
    def work(context: Any) -> None:
        context.run(ask)
        connections.close_all()

    threads = [Thread(target=work, args=(copy_context(),)) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def ask_async(times: int) -> None:
    for _ in range(times):
        await Watched.objects.afirst()


async def ask_at_once(times: int) -> None:
    await asyncio.gather(*(Watched.objects.filter(pk=n).aexists() for n in range(times)))


async def ask_in_group(times: int) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(times):
            group.create_task(Watched.objects.filter(pk=number).aexists())


SYNC: dict[str, Callable[[int], None]] = {
    "execute": ask_all,
    "executemany": ask_many,
    "threads": ask_in_threads,
}
ASYNC: dict[str, Callable[[int], Any]] = {
    "awaited": ask_async,
    "gathered": ask_at_once,
    "grouped": ask_in_group,
    "sync_to_async": sync_to_async(ask_all),
}


def sync_view(request: HttpRequest, form: str, times: int) -> HttpResponse:
    SYNC[form](times)
    return HttpResponse()


async def async_view(request: HttpRequest, form: str, times: int) -> HttpResponse:
    await ASYNC[form](times)
    return HttpResponse()


def sync_stream(request: HttpRequest, form: str, times: int) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        yield "a"
        SYNC[form](times)
        yield "b"

    return StreamingHttpResponse(body())


async def async_stream(request: HttpRequest, form: str, times: int) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        yield "a"
        await ASYNC[form](times)
        yield "b"

    return StreamingHttpResponse(body())


@task
def sync_task(form: str, times: int) -> None:
    SYNC[form](times)


urlpatterns = [
    path("sync/<form>/<int:times>/", sync_view),
    path("async/<form>/<int:times>/", async_view),
    path("syncstream/<form>/<int:times>/", sync_stream),
    path("asyncstream/<form>/<int:times>/", async_stream),
]


@pytest.fixture
def served(settings: Settings) -> Iterator[Callable[[], int]]:
    """How many statements the server has counted."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["performance.middleware.QueryLogMiddleware"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE watched")
        cursor.execute("CREATE VIEW watched_rows AS SELECT nextval('watched') AS id")

    def count() -> int:
        with scope.suspended(), connection.cursor() as cursor:
            cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM watched")
            return int(cursor.fetchone()[0])

    yield count
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW watched_rows")
        cursor.execute("DROP SEQUENCE watched")


def play(kind: str, form: str, times: int) -> None:
    """One request or task."""
    if kind == "task":
        sync_task.enqueue(form, times)
    elif kind == "wsgi":
        response: Any = Client().get(f"/{form}/{times}/")
        b"".join(response.streaming_content if response.streaming else [])
    else:
        asyncio.run(_play_async(form, times))


async def _play_async(form: str, times: int) -> None:
    response: Any = await AsyncClient().get(f"/{form}/{times}/")
    if response.streaming:
        [chunk async for chunk in response]
    await sync_to_async(connections.close_all)()


CASES = [
    *(("task", form) for form in SYNC),
    *(("wsgi", f"{view}/{form}") for view in ("sync", "syncstream") for form in SYNC),
    *(("asgi", f"sync/{form}") for form in SYNC),
    *(("wsgi", f"async/{form}") for form in ASYNC),
    *(("asgi", f"{view}/{form}") for view in ("async", "asyncstream") for form in ASYNC),
]


def asked(scopes: list[Scope]) -> int:
    return sum(
        statement.count
        for seen in scopes
        for statement in seen.statements.values()
        if "watched" in statement.sql
    )


@pytest.mark.parametrize("pooled", [True, False])
def test_every_statement_is_in_the_log(
    served: Callable[[], int], logged: Logged, settings: Settings, pooled: bool
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    options = connection.settings_dict["OPTIONS"]
    pool = options["pool"]

    @given(st.lists(st.tuples(st.sampled_from(CASES), st.integers(0, 4)), min_size=1, max_size=5))
    @hypothesis_settings(
        max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def check(plays: list[tuple[tuple[str, str], int]]) -> None:
        logged()
        before = served()
        for (kind, form), times in plays:
            play(kind, form, times)
        assert asked(logged()) == served() - before == sum(times for _, times in plays)

    connections.close_all()
    try:
        if not pooled:
            options["pool"] = False
        check()
    finally:
        connections.close_all()
        options["pool"] = pool


def test_coroutine_tasks_that_run_at_once_keep_theirs_apart(
    served: Callable[[], int], logged: Logged
) -> None:
    class Result:
        def __init__(self, number: int) -> None:
            self.id = f"result {number}"
            self.task = sync_task
            self.status = TaskResultStatus.RUNNING

    async def work(number: int) -> None:
        for _ in range(number):
            await Watched.objects.afirst()
            await asyncio.sleep(0)

    async def main() -> None:
        running = []
        results = [Result(number) for number in range(5)]
        for number, result in enumerate(results):
            context = copy_context()
            context.run(task_started.send, type(result), task_result=result)
            running.append(asyncio.create_task(work(number), context=context))
        await asyncio.gather(*running)
        for result in results:
            task_finished.send(type(result), task_result=result)
        await sync_to_async(connections.close_all)()

    asyncio.run(main())
    scopes = logged()

    assert sorted(seen.count for seen in scopes) == [1, 2, 3, 4]
    assert {(seen.kind, seen.name) for seen in scopes} == {("task", sync_task.module_path)}


def test_the_child_process_of_a_task_sends_what_it_saw(
    served: Callable[[], int], logged: Logged, queue_redis: redis.Redis
) -> None:
    class Result:
        id = "result"
        task = sync_task

    log.send()
    queue_redis.delete(log.STREAM)
    child_started.send(Result, task_result=Result)
    ask_all(2)
    child_ended.send(Result, task_result=Result)

    assert [(seen.name, seen.count) for seen in logged()] == [(sync_task.module_path, 2)]
    assert queue_redis.xlen(log.STREAM) == 1
    assert scope.current() is None


class Command(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        ask_all(3)
        Client().get("/sync/execute/2/")


def test_a_command_is_a_scope_and_a_request_in_it_another(
    served: Callable[[], int], logged: Logged
) -> None:
    call_command(Command())

    found = {(seen.kind, seen.count) for seen in logged()}
    assert found == {("command", 3), ("request", 2)}


def test_the_line_of_async_code_is_that_of_the_coroutine(
    served: Callable[[], int], logged: Logged
) -> None:
    asyncio.run(_play_async("async/awaited", 4))
    asyncio.run(_play_async("async/gathered", 4))
    asyncio.run(_play_async("async/grouped", 4))

    sites = [one.loop for seen in logged() for one in seen.statements.values()]
    assert [(site.file, site.function) for site in sites if site] == [
        ("tests/performance/queries/test_truth.py", "ask_async"),
        ("tests/performance/queries/test_truth.py", "ask_at_once"),
        ("tests/performance/queries/test_truth.py", "ask_in_group"),
    ]
