"""Shipped rules: added once, never overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from performance.alerts import defaults, shipped
from performance.alerts.suppression import circle, inhibitors_of
from performance.metrics.definitions import BY_NAME
from performance.models import AlertRule

NAMES = [default.name for default in defaults.DEFAULTS]
pytestmark = pytest.mark.django_db


def test_migrate_brings_them() -> None:
    assert sorted(AlertRule.objects.values_list("name", flat=True)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_sound_rule_over_metrics_that_there_are(name: str) -> None:
    rule = AlertRule.objects.get(name=name)
    rule.full_clean()
    for metric in [rule.metric, *rule.divisors]:
        assert {*rule.labels, *rule.group_by} <= set(BY_NAME[metric].labels), metric


def test_what_staff_changed_stays() -> None:
    AlertRule.objects.filter(name="error-rate").update(threshold=0.5, enabled=False)
    AlertRule.objects.get(name="disk-full").inhibited_by.add(
        AlertRule.objects.get(name="worker-gone")
    )
    AlertRule.objects.get(name="error-rate").inhibited_by.clear()

    shipped.install()

    rule = AlertRule.objects.get(name="error-rate")
    assert (rule.threshold, rule.enabled, rule.inhibited_by.count()) == (0.5, False, 0)
    assert AlertRule.objects.get(name="disk-full").inhibited_by.count() == 1


def test_one_that_is_missing_comes_back_and_a_renamed_one_does_not() -> None:
    AlertRule.objects.filter(name="n-plus-one").delete()
    AlertRule.objects.filter(name="error-rate").update(name="errors")

    shipped.install()

    assert AlertRule.objects.filter(name="n-plus-one").exists()
    assert not AlertRule.objects.filter(name="error-rate").exists()


def test_they_never_hold_back_each_other_in_a_circle() -> None:
    rules = AlertRule.objects.all()
    inhibitors = inhibitors_of(rules)

    assert inhibitors
    assert not any(circle(rule.pk, inhibitors.get(rule.pk, ()), inhibitors) for rule in rules)


def test_a_table_of_another_shape_is_left_alone(monkeypatch: Any) -> None:
    AlertRule.objects.all().delete()

    class Earlier:
        def get_models(self) -> list[Any]:
            return [model for model in apps.get_models() if model is not AlertRule]

    shipped.install(apps=Earlier())

    assert not AlertRule.objects.exists()


def test_migrating_twice_adds_nothing() -> None:
    call_command("migrate", "performance", verbosity=0)

    assert AlertRule.objects.count() == len(NAMES)


def test_a_reset_leaves_a_name_to_the_rule_that_took_it() -> None:
    rule = AlertRule.objects.get(name="error-rate")
    rule.name, rule.threshold = "mine", 5
    rule.save()
    AlertRule.objects.create(name="error-rate", title="Theirs", metric="x", threshold=1)

    assert shipped.reset(rule)

    rule.refresh_from_db()
    assert (rule.name, rule.threshold) == ("mine", 0.05)
