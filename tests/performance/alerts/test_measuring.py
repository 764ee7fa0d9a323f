"""Rules that no form has seen: a wrong value is that rule's own alert, and harms nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from performance.alerts import Report, deliver
from performance.alerts.channels import Channel, Message
from performance.models import Alert, AlertRule
from tests.factories import UserFactory
from tests.performance.alerts.conftest import at

Rule = Callable[..., AlertRule]
See = Callable[..., Report]
sent: list[Message] = []

WRONG: dict[str, Any] = {
    "comparison": "xx",
    "aggregation": "odd",
    "no_data": "odd",
    "severity": "odd",
    "threshold": float("nan"),
    "resolve_threshold": float("inf"),
    "labels": ["a"],
    "divisor_labels": {"a": 5},
    "group_by": 5,
    "channels": 5,
    "metric": "No Name",
}


class Recorder(Channel):
    def send(self, message: Message) -> None:
        sent.append(message)


@pytest.fixture(autouse=True)
def _recorded(settings: Any) -> Iterator[None]:
    backend = f"{Recorder.__module__}.{Recorder.__name__}"
    block = {**settings.PERFORMANCE["ALERTS"], "CHANNELS": {"ops": {"BACKEND": backend}}}
    settings.PERFORMANCE = {**settings.PERFORMANCE, "ALERTS": block}
    sent.clear()
    yield
    sent.clear()


@pytest.mark.parametrize("field", WRONG)
def test_a_rule_that_is_not_right_alerts_about_itself_alone(
    field: str, make_rule: Rule, see: See
) -> None:
    wrong, good = make_rule(hold=0), make_rule(hold=0)
    AlertRule.objects.filter(pk=wrong.pk).update(**{field: WRONG[field]})

    see(0, 11)
    deliver(now=at(10))

    assert Alert.objects.get(rule=good).state == "firing"
    broken = Alert.objects.get(rule=wrong)
    assert (broken.state, broken.cause) == ("firing", "error")
    assert broken.problem
    assert "cannot be evaluated" in sent[0].text


def test_its_pages_come_all_the_same(make_rule: Rule, see: See) -> None:
    """The value's alert was there before the rule was spoilt."""
    rule = make_rule(hold=0)
    see(0, 11)
    AlertRule.objects.update(comparison="xx", labels=["a"], threshold=float("nan"))
    see(10, 11)
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    pages = [f"alert/{pk}/change" for pk in rule.alerts.values_list("pk", flat=True)]
    assert len(pages) == 2

    for page in [*pages, "alert", "alertrule", f"alertrule/{rule.pk}/change"]:
        assert client.get(f"/admin/performance/{page}/").status_code == 200, page
