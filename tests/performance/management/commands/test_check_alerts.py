from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError

from performance.alerts import Sample, evaluate
from performance.models import Alert, AlertRule, Silence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule() -> AlertRule:
    AlertRule.objects.all().delete()
    return AlertRule.objects.create(
        name="high",
        title="Too high",
        metric="level",
        aggregation="last",
        threshold=10,
        group_by=["view"],
        runbook="disk-full",
    )


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_alerts", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def see(value: float) -> None:
    evaluate(samples=[Sample("level", value, {"view": "home\n\x1b[31m"})])


def test_never_evaluated_is_a_problem() -> None:
    assert run() == (1, "No alert is open.\n! The rules have never been evaluated.\n")
    assert run("--evaluate") == (0, "No alert is open.\n")


def test_a_firing_alert_wants_somebody_until_it_is_acknowledged() -> None:
    see(11)
    status, text = run()
    assert status == 1
    assert "Too high" in text
    assert "\x1b" not in text
    assert text.count("\n") == 2

    Alert.objects.update(state="acknowledged")
    assert run()[0] == 0


def test_what_is_silenced_or_mild_wants_nobody(rule: AlertRule) -> None:
    see(11)
    assert run("--severity", "critical")[0] == 0
    alert = Alert.objects.get()
    Silence.objects.create(reason="x", starts_at=alert.began_at, ends_at="2999-01-01T00:00Z")
    see(11)
    assert run()[0] == 0


def test_json_for_scripts() -> None:
    see(11)
    status, text = run("--format", "json")
    report = json.loads(text)

    assert status == 1
    (entry,) = report["alerts"]
    assert (entry["rule"], entry["state"], entry["summary"]) == (
        "high",
        "firing",
        "11 (alarm above 10)",
    )
    assert entry["runbook"].endswith("/runbooks/disk-full/")
    assert len(report["problems"]) == 1


def test_without_postgresql_it_says_so(monkeypatch: Any) -> None:
    def away(*_args: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("performance.alerts.seconds_since", away)
    with pytest.raises(CommandError, match="PostgreSQL does not answer") as raised:
        call_command("check_alerts", stdout=StringIO())

    assert raised.value.returncode == 2


def test_without_tables_it_says_what_to_do(monkeypatch: Any) -> None:
    def missing(*_args: Any) -> None:
        raise ProgrammingError

    monkeypatch.setattr("performance.alerts.seconds_since", missing)
    with pytest.raises(CommandError, match="run manage"):
        call_command("check_alerts", stdout=StringIO())
