"""What a message says: the alerts of one group, worst first, each with its link and runbook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.urls import NoReverseMatch, reverse

from performance import conf
from performance.alerts import messages
from performance.alerts.channels import Message
from performance.models import Alert, Notification
from performance.models.alert_rules import Severity

MOST = 20
"""Alerts that one message lists."""


def message(row: Notification) -> Message | None:
    """The message of an outbox row, with the alerts as they are now; None where all are gone."""
    if not row.news:
        return _test(row)
    news = {one["alert"]: one["news"] for one in row.news}
    alerts = list(Alert.objects.filter(pk__in=news).select_related("rule"))
    if not alerts:
        return None
    alerts.sort(key=lambda alert: (-Severity(alert.severity).rank, alert.pk))
    entries = [_entry(alert, news[alert.pk]) for alert in alerts]
    return Message(
        id=row.key,
        subject=_subject(row, entries),
        text=_text(entries),
        severity=row.severity,
        payload={"group": row.group, "severity": row.severity, "alerts": entries},
    )


def _test(row: Notification) -> Message:
    return Message(
        id=row.key,
        subject="[test] Messages about alerts arrive here",
        text=f"A member of staff tests the channel {row.channel}. Nothing is wrong.\n",
        severity=row.severity,
        payload={"group": row.group, "severity": row.severity, "alerts": [], "test": True},
    )


def path_of(runbook: str) -> str:
    """Where a runbook is read: an address as it is, a page's name in the admin; "" where there is no such page."""
    if not runbook or runbook.startswith("https://"):
        return runbook
    try:
        path = reverse("admin:performance_runbook", args=[runbook])
    except NoReverseMatch:
        return ""
    return path if file_of(runbook) else ""


def file_of(runbook: str) -> Path | None:
    """The file of a runbook's name, which must be a slug; None where RUNBOOKS has none."""
    directory = conf.current().alerts.runbooks
    path = Path(directory) / f"{runbook}.md"
    return path if directory and path.is_file() else None


def _entry(alert: Alert, news: str) -> dict[str, Any]:
    return {
        "rule": alert.rule.name,
        "title": alert.rule.title,
        "labels": alert.labels,
        "news": news,
        "state": alert.state,
        "severity": alert.severity,
        "summary": messages.summary(alert),
        "examples": alert.examples,
        "value": alert.value,
        "threshold": alert.rule.threshold,
        "condition": messages.condition(alert.rule),
        "since": alert.began_at.isoformat(),
        "resolved": alert.resolved_at.isoformat() if alert.resolved_at else None,
        "flaps": alert.flaps,
        "url": address(alert.pk),
        "runbook": absolute(path_of(alert.rule.runbook)),
    }


def address(number: int) -> str:
    """Of the alert's page. The first call of a process loads the whole site's addresses."""
    try:
        return absolute(reverse("admin:performance_alert_change", args=[number]))
    except NoReverseMatch:
        return ""


def absolute(path: str) -> str:
    """The path with the site in front, where settings name it."""
    site = conf.current().alerts.site_url.rstrip("/")
    return f"{site}{path}" if path.startswith("/") else path


def _subject(row: Notification, entries: list[dict[str, Any]]) -> str:
    first = entries[0]
    about = f"{first['title']}{_about(first['labels'])}"
    more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
    return messages.one_line(f"[{row.severity}] {first['news']}: {about}{more}")[:200]


def _about(labels: Mapping[str, str]) -> str:
    return " (" + ", ".join(f"{k}={v}" for k, v in sorted(labels.items())) + ")" if labels else ""


def _text(entries: list[dict[str, Any]]) -> str:
    parts = [_paragraph(entry) for entry in entries[:MOST]]
    if len(entries) > MOST:
        parts.append(f"... and {len(entries) - MOST} more.")
    return "\n\n".join(parts) + "\n"


def _paragraph(entry: dict[str, Any]) -> str:
    lines = [
        f"{entry['news'].upper()} ({entry['severity']}): {entry['title']}{_about(entry['labels'])}",
        f"  now: {entry['summary']}",
        f"  rule: {entry['condition']}",
        f"  since: {entry['since'][:19]} UTC",
    ]
    lines += [f"  {name}: {entry[name]}" for name in ("url", "runbook") if entry[name]]
    return "\n".join(messages.one_line(line) for line in lines)
