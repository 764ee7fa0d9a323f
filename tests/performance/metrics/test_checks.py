from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from performance.metrics.checks import (
    PERFORMANCE,
    QUERY_LOG,
    check_measuring,
    check_tokens,
)
from tests.performance.health.test_health import with_health
from tests.performance.metrics.settings import with_metrics


@pytest.fixture(autouse=True)
def _as_in_production(settings: Settings) -> None:
    """The tests send nothing by themselves, which is one of the things warned of."""
    settings.PERFORMANCE = with_metrics(FLUSH_SECONDS=1)


def found() -> list[str]:
    return [
        str(message.id).removeprefix("performance.")
        for message in [*check_measuring(), *check_tokens()]
    ]


def test_the_site_itself_is_sound() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("middleware", "expected"),
    [
        ([], ["W010"]),
        ([PERFORMANCE, QUERY_LOG], ["W011"]),
        (["x.Other", QUERY_LOG, PERFORMANCE], ["W012"]),
        ([PERFORMANCE], []),
    ],
)
def test_the_order_of_the_middleware(
    settings: Settings, middleware: list[str], expected: list[str]
) -> None:
    settings.MIDDLEWARE = middleware
    assert found() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"LOCATION": ""}, "W013"),
        ({"LOCATION": django_settings.CACHE_URL}, "W014"),
        ({"KEEP_MINUTES": 0}, "W015"),
        ({"KEEP_HOURS": 0}, "W015"),
        ({"KEEP_LIVE": 60}, "W015"),
        ({"FLUSH_SECONDS": 0}, "W016"),
        ({"SAMPLE_REQUESTS": 0}, "W016"),
    ],
)
def test_settings_that_are_useless(
    settings: Settings, values: dict[str, Any], expected: str
) -> None:
    settings.PERFORMANCE = with_metrics(**values)
    assert found() == [expected]
    settings.PERFORMANCE = with_metrics(**values, ENABLED=False)
    assert found() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"METRICS_LOOPBACK": False}, ["W017"]),
        ({"METRICS_LOOPBACK": False, "METRICS_TOKEN": "t" * 20}, []),
        ({"TOKEN": "short", "METRICS_TOKEN": "short"}, ["W018", "W018"]),
    ],
)
def test_tokens(settings: Settings, values: dict[str, Any], expected: list[str]) -> None:
    settings.PERFORMANCE = with_health(**values)
    assert found() == expected


def test_stock_templates_are_mentioned(settings: Settings) -> None:
    stock = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "BACKEND": stock}]
    assert found() == ["I001"]
