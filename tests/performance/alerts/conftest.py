from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from performance.alerts import Report, Sample, evaluate
from performance.models import AlertRule

START = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def make_rule(db: None) -> Callable[..., AlertRule]:
    """Rules of this test alone, over a level that the test samples."""
    AlertRule.objects.all().delete()
    made: list[AlertRule] = []

    def make(**values: Any) -> AlertRule:
        name = f"rule-{len(made)}"
        defaults = {"title": name, "metric": "level", "aggregation": "last", "threshold": 10}
        rule = AlertRule(**{"name": name, "keep_firing": 30, "hold": 20} | defaults | values)
        rule.full_clean()
        rule.save()
        made.append(rule)
        return rule

    return make


@pytest.fixture
def see() -> Callable[..., Report]:
    """Evaluates at a second, with a level: see(10, 12.5), or several: see(10, home=12, about=3)."""

    def evaluated(seconds: float, value: float | None = None, **levels: float) -> Report:
        samples = [Sample("level", level, {"view": view}) for view, level in levels.items()]
        if value is not None:
            samples.append(Sample("level", value))
        report = evaluate(now=at(seconds), samples=samples)
        assert report
        return report

    return evaluated


@pytest.fixture
def side_by_side() -> Callable[..., list[Any]]:
    """Runs a function in several threads at once, each with its own connection; the answers."""

    def run(function: Callable[[], Any], *, times: int) -> list[Any]:
        ready = threading.Barrier(times)

        def one() -> Any:
            ready.wait()
            try:
                return function()
            finally:
                connection.close()

        with ThreadPoolExecutor(times) as pool:
            return [future.result() for future in [pool.submit(one) for _ in range(times)]]

    return run
