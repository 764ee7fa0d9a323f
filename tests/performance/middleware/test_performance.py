from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any

import pytest
import redis
from asgiref.sync import SyncToAsync, async_to_sync
from django.contrib.auth.models import Group, User
from django.core.cache import caches
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from django.urls import path
from pytest_django.fixtures import Settings

from performance import metrics, spending
from performance.metrics.recorders import requests
from performance.middleware import PerformanceMiddleware
from performance.queries import scope
from tests.performance.metrics.settings import with_metrics
from tests.performance.metrics.stored import found, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis")]

OURS = ["performance.middleware.QueryLogMiddleware", "performance.middleware.PerformanceMiddleware"]
USERS = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


@pytest.fixture(autouse=True)
def _none_in_flight() -> None:
    """Clients of other tests left bodies unread."""
    requests.in_flight.clear()


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{Group.objects.count()} {Group.objects.exists()}")


def rendered(request: HttpRequest) -> HttpResponse:
    caches["default"].set("apples", 1)
    template = engines["django"].from_string("{{ user.username }}{% for g in groups %}{% endfor %}")
    return HttpResponse(template.render({"groups": Group.objects.all()}, request))


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def failing(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("no")


async def waiting(request: HttpRequest) -> HttpResponse:
    await Group.objects.acount()
    return HttpResponse("done")


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            yield b"12345"

    return StreamingHttpResponse(chunks())


async def astreamed(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"12345"

    return StreamingHttpResponse(chunks())


urlpatterns = [
    path(f"{view.__name__}/", view, name=view.__name__)
    for view in (plain, rendered, missing, failing, waiting, hello, streamed, astreamed)
] + [path("ignored/page/", plain, name="ignored")]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse("missing", status=404)


def handler500(request: HttpRequest) -> HttpResponse:
    return HttpResponse("failed", status=500)


@pytest.fixture(autouse=True)
def _urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = OURS + USERS
    settings.PERFORMANCE = with_metrics(IGNORE_PATHS=["/ignored/"])


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async_to_sync(test)(*args, **kwargs)

    return run


def requested(view: str, method: str = "GET", status: str = "2xx") -> float:
    metrics.flush()
    return found("request_seconds", view=view, method=method, status=status).count


def test_a_page_is_one_event_with_all_its_parts(client: Client) -> None:
    body = client.get("/plain/").content

    assert requested("plain") == 1
    assert found("request_queries", view="plain").sum == 2
    assert 0 < found("request_database_seconds", view="plain").sum < 5
    assert found("response_bytes", view="plain").sum == len(body)
    assert found("request_cache_seconds", view="plain").sum == 0
    assert found("request_render_seconds", view="plain").sum == 0


def test_time_in_caches_and_templates(client: Client) -> None:
    client.get("/rendered/")

    assert requested("rendered") == 1
    assert found("request_cache_seconds", view="rendered").sum > 0
    assert found("request_render_seconds", view="rendered").sum > 0
    assert spending.current() is None


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("/missing/", {"view": "missing", "status": "4xx"}),
        ("/nowhere/", {"view": "unresolved", "status": "4xx"}),
        ("/failing/", {"view": "failing", "status": "5xx"}),
    ],
)
def test_errors_count_by_their_status(path: str, labels: dict[str, str]) -> None:
    Client(raise_request_exception=False).get(path)
    assert requested(**labels) == 1


def test_methods_nobody_heard_of_are_one(client: Client) -> None:
    for method in ("BREW", "X" * 200):
        client.generic(method, "/plain/")
    assert requested("plain", method="other") == 2


def test_ignored_paths_leave_nothing(client: Client) -> None:
    client.get("/ignored/page/")
    metrics.flush()
    assert not [one for one in stored() if one.name.startswith(("request", "response"))]


def test_a_sample_counts_for_all(settings: Settings, client: Client) -> None:
    settings.PERFORMANCE = with_metrics(SAMPLE_REQUESTS=5)
    client = Client()
    for _ in range(20):
        client.get("/plain/")
    assert requested("plain") == 20
    assert found("request_queries", view="plain").sum == 40


def test_a_stream_ends_when_its_body_ends(client: Client) -> None:
    response: Any = client.get("/streamed/")
    assert requested("streamed") == 0
    assert len(requests.in_flight) == 1
    assert b"".join(response.streaming_content) == b"12345" * 3
    assert requested("streamed") == 1
    assert found("response_bytes", view="streamed").sum == 15
    assert not requests.in_flight


def test_a_stream_whose_reader_left_ends_then(client: Client) -> None:
    response: Any = client.get("/streamed/")
    next(response.streaming_content)
    response.close()
    response.close()
    assert requested("streamed") == 1
    assert found("response_bytes", view="streamed").sum == 5
    assert not requests.in_flight


@in_a_loop
async def test_async_views_and_streams(async_client: AsyncClient) -> None:
    await async_client.get("/waiting/")
    response: Any = await async_client.get("/astreamed/")
    assert b"".join([chunk async for chunk in response.streaming_content]) == b"12345" * 3
    metrics.flush()

    assert found("request_queries", view="waiting").sum == 1
    assert found("response_bytes", view="astreamed").sum == 15
    assert not requests.in_flight


@in_a_loop
async def test_a_browser_that_leaves_is_counted_as_such() -> None:
    started = asyncio.Event()

    async def view(request: HttpRequest) -> HttpResponse:
        started.set()
        await asyncio.sleep(60)
        return HttpResponse()

    middleware = PerformanceMiddleware(view)
    running = asyncio.ensure_future(middleware(AsyncRequestFactory().get("/")))  # type: ignore[arg-type]
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert requested("unresolved", status=requests.ABORTED) == 1
    assert not requests.in_flight


@in_a_loop
async def test_an_async_view_stays_on_its_thread(
    settings: Settings, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = OURS
    hops = []
    call = SyncToAsync.__call__

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        hops.append(getattr(self.func, "__qualname__", self.func))
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    await async_client.get("/hello/")
    # Django's own: the client's signals and the handler's end of the request.
    assert not [hop for hop in hops if "performance" in str(hop) or "Middleware" in str(hop)]
    assert requested("hello") == 1


def test_staff_see_where_the_time_went(client: Client, django_user_model: type[User]) -> None:
    staff = django_user_model.objects.create_user("ann", password="x", is_staff=True)
    user = django_user_model.objects.create_user("bob", password="x")
    client.force_login(user)
    assert "Server-Timing" not in client.get("/rendered/").headers
    client.force_login(staff)
    timing = client.get("/rendered/").headers["Server-Timing"]
    assert re.fullmatch(
        r'db;desc="\d+ queries";dur=[\d.]+, cache;dur=[\d.]+, render;dur=[\d.]+, total;dur=[\d.]+',
        timing,
    )
    # This page never asks who the user is, and so neither do we.
    assert "Server-Timing" not in client.get("/plain/").headers


def _answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("x")


def _calls(run: Callable[[], object]) -> int:
    """Function calls, Python's and C's, on this thread."""
    count = 0

    def profile(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def test_costs_few_calls_no_query_and_no_round_trip(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    middleware = PerformanceMiddleware(_answer)
    request = RequestFactory().get("/plain/")
    middleware(request)
    bare = _calls(lambda: _answer(request))
    calls = [_calls(lambda: middleware(request)) - bare]
    sent: list[Any] = []
    monkeypatch.setattr(redis.connection.Connection, "send_packed_command", sent.append)
    with django_assert_num_queries(0), scope.open(kind="request"):
        calls.append(_calls(lambda: middleware(request)) - bare)
    # The first had no QueryLogMiddleware above it and made a scope of its own.
    assert calls[0] <= 50
    assert calls[1] <= 36
    assert not sent


def test_switched_off_it_is_no_middleware(settings: Settings) -> None:
    settings.PERFORMANCE = with_metrics(ENABLED=False)
    with pytest.raises(MiddlewareNotUsed):
        PerformanceMiddleware(_answer)


def test_requests_in_flight_are_sampled_while_there_are_any() -> None:
    requests.sample_in_flight()
    metrics.flush()
    assert stored() == {}
    token = object()
    requests.in_flight.add(token)
    requests.sample_in_flight()
    requests.in_flight.discard(token)
    requests.sample_in_flight()
    requests.sample_in_flight()
    metrics.flush()
    level = found("requests_in_flight")
    # One process: it weighs one in its slot, however often it was sampled.
    assert (level.count, level.max, level.min) == (1, 1, 0)
