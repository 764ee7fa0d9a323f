"""What fires, for people and for scripts."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from performance import alerts
from performance.alerts import messages, writing
from performance.management.failures import no_database
from performance.models import Alert
from performance.models.alert_rules import Severity
from performance.models.alerts import State

OVERDUE = 60.0
"""Seconds without an evaluation after which somebody should look."""


class Command(BaseCommand):
    help = (
        "Shows open alerts. Exit status 1: one fires that nobody has acknowledged, or the rules are "
        "not evaluated. 2: the alerts could not be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--severity",
            choices=Severity.values,
            default="warning",
            help="the mildest that counts for the exit status (default: warning)",
        )
        parser.add_argument("--evaluate", action="store_true", help="evaluate the rules first")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if options["evaluate"]:
                alerts.evaluate()
            report = _report(Severity(options["severity"]))
        except DatabaseError as error:
            raise no_database(error) from None
        if options["format"] == "json":
            self.stdout.write(json.dumps(report, indent=2))
        else:
            for line in _lines(report):
                self.stdout.write(messages.one_line(line))
        if report["problems"]:
            sys.exit(1)


def _report(least: Severity) -> dict[str, Any]:
    found = list(Alert.objects.unresolved().select_related("rule", "assignee", "acknowledged_by"))
    found.sort(key=lambda alert: (-Severity(alert.severity).rank, alert.began_at))
    age = alerts.seconds_since()
    return {
        "evaluated_seconds_ago": age,
        "alerts": [_entry(alert) for alert in found],
        "problems": [*_unevaluated(age), *(_problem(a) for a in found if _counts(a, least))],
    }


def _counts(alert: Alert, least: Severity) -> bool:
    return (
        alert.state == State.FIRING
        and not alert.suppressed
        and Severity(alert.severity).rank >= least.rank
    )


def _problem(alert: Alert) -> str:
    return f"{alert} fires and nobody has acknowledged it."


def _unevaluated(age: float | None) -> list[str]:
    if age is None:
        return ["The rules have never been evaluated."]
    return [f"The rules were last evaluated {age:.0f} s ago."] if age > OVERDUE else []


def _entry(alert: Alert) -> dict[str, Any]:
    person = alert.assignee or alert.acknowledged_by
    return {
        "id": alert.pk,
        "rule": alert.rule.name,
        "title": alert.rule.title,
        "labels": alert.labels,
        "state": alert.state,
        "severity": alert.severity,
        "summary": messages.summary(alert),
        "since": alert.began_at.isoformat(),
        "with": person.get_username() if person else None,
        "suppressed": alert.suppressed or None,
        "runbook": writing.absolute(writing.path_of(alert.rule.runbook)),
    }


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [_line(entry) for entry in report["alerts"]] or ["No alert is open."]
    return [*lines, *(f"! {problem}" for problem in report["problems"])]


def _line(entry: dict[str, Any]) -> str:
    labels = " ".join(f"{k}={v}" for k, v in sorted(entry["labels"].items()))
    words = [
        f"{entry['severity']:<8} {entry['state']:<12} {entry['title']}",
        labels,
        entry["summary"],
        f"since {entry['since'][:19]}",
        f"with {entry['with']}" if entry["with"] else "",
        f"({entry['suppressed']})" if entry["suppressed"] else "",
    ]
    return "  ".join(filter(None, words))
