from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views import View
from pytest_django.fixtures import Settings

from performance import metrics
from performance.queries import BudgetExceeded, budget, log, query_budget, scope
from performance.queries.pytest_plugin import query_budget as query_budget_fixture
from performance.queries.pytest_plugin import view_query_budgets

pytestmark = pytest.mark.django_db
fixtures = (query_budget_fixture, view_query_budgets)


def ask(times: int) -> None:
    for _ in range(times):
        Group.objects.filter(name="canary").exists()


@query_budget(max_queries=1)
def frugal(request: HttpRequest) -> HttpResponse:
    ask(int(request.GET["times"]))
    return HttpResponse()


@query_budget(max_queries=1)
async def afrugal(request: HttpRequest) -> HttpResponse:
    for _ in range(int(request.GET["times"])):
        await Group.objects.aexists()
    return HttpResponse()


@query_budget(max_queries=1)
class Frugal(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return frugal(request)


def plain(request: HttpRequest) -> HttpResponse:
    return frugal(request)


urlpatterns = [
    path("frugal/", frugal, name="frugal"),
    path("afrugal/", afrugal, name="afrugal"),
    path("class/", Frugal.as_view(), name="class"),
    path("plain/", plain, name="plain"),
]


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["performance.middleware.QueryLogMiddleware"]
    settings.PERFORMANCE = settings.PERFORMANCE | {
        "QUERIES": {"BUDGETS": {"plain": {"max_queries": 1}}}
    }


def test_a_block_within_its_budget_passes() -> None:
    with budget(max_queries=2, max_ms=60_000) as seen:
        ask(2)

    assert seen.count == 2


def test_a_block_over_its_budget_fails_and_says_what_ran_without_values() -> None:
    with (
        pytest.raises(BudgetExceeded, match="3 queries where at most 2 are allowed") as raised,
        budget(max_queries=2),
    ):
        ask(3)

    assert "3 x SELECT" in str(raised.value)
    assert "test_budgets.py" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_time_counts() -> None:
    with pytest.raises(BudgetExceeded, match="ms of queries where at most 0 ms"), budget(max_ms=0):
        ask(1)


def test_an_error_in_the_block_goes_first() -> None:
    def fail() -> None:
        ask(1)
        raise KeyError

    with pytest.raises(KeyError), budget(max_queries=0):
        fail()


@pytest.mark.parametrize("wrong", [-1, "5", True])
def test_a_budget_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        query_budget(max_queries=wrong)


def test_requests_of_the_client_count_in_the_block(client: Client) -> None:
    with budget(max_queries=3) as seen:
        client.get("/plain/", {"times": 2})
        ask(1)

    assert seen.count == 3


@pytest.mark.parametrize("view", ["frugal", "afrugal", "class", "plain"])
@pytest.mark.parametrize(("times", "told"), [(1, False), (2, True)])
def test_views_over_their_budget_are_counted_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture, view: str, times: int, told: bool
) -> None:
    metrics.flush()
    with caplog.at_level(logging.WARNING, "performance.queries"):
        client.get(f"/{view}/", {"times": times})
        log.send()

    assert ("query_budget_exceeded" in caplog.text) is told
    assert (f"{view} took 2 queries where at most 1 are allowed" in caplog.text) is told


def test_the_fixture_is_the_context_manager(query_budget_fixture: Callable[..., Any]) -> None:
    assert query_budget_fixture is budget


def test_the_other_fixture_fails_a_test_whose_view_is_over_budget(client: Client) -> None:
    fixture: Any = view_query_budgets
    running = fixture.__wrapped__()
    next(running)
    client.get("/frugal/", {"times": 1})
    client.get("/frugal/", {"times": 2})

    with pytest.raises(BudgetExceeded, match=r"^frugal: 2 queries where at most 1"):
        next(running)
    assert not scope.ended.observers
