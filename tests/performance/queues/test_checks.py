"""Settings that cannot work are found before they are tried."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.tasks import task_backends

from performance.queues import Level, conf


def ids() -> list[str | None]:
    found: list[CheckMessage] = list(task_backends["default"].check())
    return [message.id for message in found]


def test_good_settings() -> None:
    assert ids() == []


def test_an_unknown_option(set_options: Any) -> None:
    set_options(CONCURENCY=3)
    assert ids() == ["performance.E201"]


def test_a_queue_that_nothing_serves(settings: Any) -> None:
    queues = [*(level.value for level in Level), "emails"]
    settings.TASKS = {"default": {**settings.TASKS["default"], "QUEUES": queues}}
    assert ids() == ["performance.E202"]


def test_a_missing_level(settings: Any) -> None:
    settings.RQ_QUEUES = {"normal": settings.RQ_QUEUES["normal"]}
    assert ids() == ["performance.E203"]


def test_two_servers(settings: Any) -> None:
    low = {"URL": "redis://127.0.0.1:1/0"}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "low": low}
    assert ids() == ["performance.E204"]


@pytest.mark.parametrize(
    ("key", "value"), [("CONCURRENCY", 0), ("LEASE", "15"), ("THREADS", True), ("GRACE", -1)]
)
def test_a_number_that_cannot_work(key: str, value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{key} is {value!r}; it must be a number"):
        conf.read({key: value})


def test_a_level_that_is_none() -> None:
    with pytest.raises(ImproperlyConfigured, match="lowest"):
        conf.read({"MAX_LENGTH": {"lowest": 1}})
