from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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
