from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from performance.queries import checks


def found(settings: Settings, **queries: Any) -> list[str | None]:
    settings.PERFORMANCE = settings.PERFORMANCE | {"QUERIES": queries}
    return [message.id for message in checks.check_all()]


@pytest.mark.parametrize(
    ("queries", "ids"),
    [
        ({}, []),
        ({"SLOW_MS": -1}, ["performance.E020"]),
        ({"KEEP_SAMPLES_DAYS": 0}, ["performance.E020"]),
        ({"SAMPLE_RATE": 1.5}, ["performance.E021"]),
        ({"BUDGETS": {"home": {"max_queries": 5, "max_ms": 2.5}}}, []),
        ({"BUDGETS": {"home": {"max_querys": 5}}}, ["performance.E022"]),
        ({"BUDGETS": {"home": {"max_queries": -1}}}, ["performance.E022"]),
        ({"ENABLED": False, "SLOW_MS": -1}, []),
    ],
)
def test_settings(settings: Settings, queries: dict[str, Any], ids: list[str]) -> None:
    assert found(settings, **queries) == ids


def test_a_site_without_the_middleware(settings: Settings) -> None:
    settings.MIDDLEWARE = []

    assert found(settings) == ["performance.W020"]


def test_a_pool_without_health_checks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_HEALTH_CHECKS", False)

    assert found(settings) == ["performance.W021"]
