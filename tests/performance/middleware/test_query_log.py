from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextvars import copy_context
from functools import wraps
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django.fixtures import Settings

from performance.middleware import QueryLogMiddleware
from performance.queries.scope import Scope

pytestmark = pytest.mark.django_db


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Group.objects.count()))


def failing(request: HttpRequest) -> HttpResponse:
    Group.objects.count()
    raise Http404


async def waiting(request: HttpRequest) -> HttpResponse:
    await Group.objects.acount()
    await Group.objects.afirst()
    return HttpResponse([group.name async for group in Group.objects.all()])


async def gathered(request: HttpRequest) -> HttpResponse:
    await asyncio.gather(*(Group.objects.filter(pk=number).afirst() for number in range(7)))
    return HttpResponse()


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[str]:
        for _ in range(3):
            yield str(Group.objects.count())

    Group.objects.exists()
    return StreamingHttpResponse(chunks())


async def astreamed(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks() -> AsyncIterator[str]:
        for _ in range(3):
            yield str(await Group.objects.acount())

    await Group.objects.aexists()
    return StreamingHttpResponse(chunks())


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


urlpatterns = [
    path("plain/", plain, name="plain"),
    path("failing/", failing),
    path("waiting/", waiting, name="waiting"),
    path("gathered/", gathered, name="gathered"),
    path("streamed/", streamed, name="streamed"),
    path("astreamed/", astreamed, name="astreamed"),
]


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["performance.middleware.QueryLogMiddleware"]


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an async test, its ORM calls on this thread, whose transaction it is."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        async_to_sync(test)(**fixtures)

    return run


Logged = Callable[[], list[Scope]]


def test_a_request_is_a_scope_with_the_views_name(client: Client, logged: Logged) -> None:
    client.get("/plain/")

    (seen,) = logged()
    assert (seen.kind, seen.name, seen.count) == ("request", "plain", 1)


def test_nothing_is_logged_of_ignored_paths(
    client: Client, logged: Logged, settings: Settings
) -> None:
    metrics = {**settings.PERFORMANCE["METRICS"], "IGNORE_PATHS": ["/plain/"]}
    settings.PERFORMANCE = settings.PERFORMANCE | {"METRICS": metrics}
    client.get("/plain/")

    assert logged() == []


def test_views_without_a_name_go_by_their_path(client: Client, logged: Logged) -> None:
    client.get("/failing/")

    assert logged()[0].name == f"{__name__}.failing"


def test_what_has_no_view_and_no_statement_is_not_logged(client: Client, logged: Logged) -> None:
    client.get("/nowhere/")

    assert logged() == []


@pytest.mark.parametrize(("address", "count"), [("waiting", 3), ("gathered", 7), ("plain", 1)])
@on_a_loop
async def test_all_statements_of_views_under_asgi_are_seen(
    async_client: AsyncClient, logged: Logged, address: str, count: int
) -> None:
    await async_client.get(f"/{address}/")

    assert logged()[0].count == count


def test_async_views_under_wsgi_are_seen(client: Client, logged: Logged) -> None:
    client.get("/waiting/")

    assert logged()[0].count == 3


def test_the_scope_of_a_stream_ends_with_its_body(client: Client, logged: Logged) -> None:
    response = client.get("/streamed/")
    assert logged() == []

    assert response.getvalue() == b"000"
    response.close()
    (seen,) = logged()
    assert seen.count == 4
    assert [statement.late for statement in seen.statements.values()] == [False, True]


@on_a_loop
async def test_the_scope_of_an_async_stream_ends_with_its_body(
    async_client: AsyncClient, logged: Logged
) -> None:
    response: Any = await async_client.get("/astreamed/")

    assert [chunk async for chunk in response.streaming_content] == [b"0", b"0", b"0"]
    assert logged()[0].count == 4


def test_a_stream_that_nobody_reads_on_ends_with_the_response(
    client: Client, logged: Logged
) -> None:
    response: Any = client.get("/streamed/")
    next(response.streaming_content)
    response.close()

    assert logged()[0].count == 2


@on_a_loop
async def test_nothing_hops_to_a_thread_for_the_middleware(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(threading.current_thread().name)

    answer = QueryLogMiddleware(view)
    monkeypatch.setattr("asgiref.sync.SyncToAsync.__call__", None)

    response: Any = await answer(HttpRequest())  # type: ignore[misc]
    assert response.content.decode() == threading.current_thread().name


@on_a_loop
async def test_statements_after_the_end_are_kept_apart(
    async_client: AsyncClient, logged: Logged
) -> None:
    later: list[Any] = []

    async def view(request: HttpRequest) -> HttpResponse:
        context = copy_context()
        later.append(lambda: context.run(Group.objects.count))
        return HttpResponse()

    await QueryLogMiddleware(view)(HttpRequest())  # type: ignore[misc]
    await sync_to_async(later[0])()
    (left,) = logged()
    assert (left.count, left.late) == (1, True)


def test_it_is_not_used_where_queries_are_not_watched(settings: Settings) -> None:
    settings.PERFORMANCE = {"QUERIES": {"ENABLED": False}}

    with pytest.raises(MiddlewareNotUsed):
        QueryLogMiddleware(plain)


def test_a_request_costs_thirty_calls_at_most() -> None:
    """Beside its statements; function calls, since they do not move with the load of the machine."""

    def answer(request: HttpRequest) -> HttpResponse:
        return response

    response, request, calls = HttpResponse(), HttpRequest(), 0
    watched = QueryLogMiddleware(answer)
    watched(request)

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        watched(request)
    finally:
        sys.setprofile(None)
    assert calls <= 30
