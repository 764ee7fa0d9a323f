"""Which alerts are told of, to whom and when: rows of an outbox, written where the alerts change."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.core.exceptions import ImproperlyConfigured

from performance import conf
from performance.alerts import channels
from performance.conf import AlertsSettings
from performance.models import Alert, AlertRule, Notification
from performance.models.alert_rules import Severity
from performance.models.alerts import State

TEST = "test"
"""The group of messages without news."""


class News(StrEnum):
    FIRING = "firing"
    AGAIN = "firing again"
    ESCALATED = "nobody acknowledged"
    REMINDER = "still firing"
    RESOLVED = "resolved"


def plan(alerts: Iterable[Alert], now: datetime) -> int:
    """Queues what is due about `alerts` (locked by the caller); answers how many messages it touched."""
    settings = conf.current().alerts
    alerts = list(alerts)
    _hold_back([a for a in alerts if a.suppressed and a.told_at is not None])
    due = [(alert, news) for alert in alerts if (news := due_of(alert, now, settings))]
    heaps: dict[tuple[str, str], list[tuple[Alert, News]]] = {}
    for alert, news in due:
        for channel in routes(alert, news, settings):
            heaps.setdefault((channel, alert.rule.group), []).append((alert, news))
    for (channel, group), heap in sorted(heaps.items()):
        _queue(channel, group, heap, now, settings)
    for alert, news in due:
        _remember(alert, news, now)
    Alert.objects.bulk_update([a for a, _ in due], ["told_at", "retold_at", "escalated_at"])
    return len(heaps)


def queue_test(channel: str, now: datetime) -> Notification | None:
    """A message that says that it is a test, sent like any other; None where one waits already."""
    row, is_new = Notification.objects.get_or_create(
        channel=channel,
        group=TEST,
        state=Notification.State.WAITING,
        defaults={
            "key": uuid.uuid4().hex,
            "severity": Severity.INFO,
            "created_at": now,
            "due_at": now,
        },
    )
    return row if is_new else None


def due_of(alert: Alert, now: datetime, settings: AlertsSettings) -> News | None:
    """What there is to tell of this alert, if anything. Pure."""
    if alert.state == State.RESOLVED:
        return News.RESOLVED if alert.told_at is not None else None
    if alert.state != State.FIRING or alert.suppressed:
        return None
    if alert.told_at is None:
        return News.AGAIN if alert.flaps else News.FIRING
    if alert.severity == Severity.INFO:
        return None
    if alert.escalated_at is None and now - alert.told_at >= _seconds(settings.escalate_after):
        return News.ESCALATED
    last = max(filter(None, (alert.retold_at, alert.escalated_at, alert.told_at)))
    return News.REMINDER if now - last >= _seconds(settings.repeat_after) else None


def routes(alert: Alert, news: News, settings: AlertsSettings) -> list[str]:
    """The channels that it goes to: the rule's own, or all that take its severity."""
    known = channels.aliases()
    names = [name for name in known if name in _chosen(alert.rule)]
    # Channels that settings no longer name: better told elsewhere than to nobody.
    if not names:
        names = [name for name in known if _takes(name, alert.severity)]
    if news is News.ESCALATED or alert.escalated_at is not None:
        names += [name for name in settings.escalate_to if name in known and name not in names]
    return names


def _chosen(rule: AlertRule) -> list[str]:
    return rule.channels if isinstance(rule.channels, list) else []


def _takes(name: str, severity: str) -> bool:
    try:
        return channels.get(name).takes(severity)
    except ImproperlyConfigured:
        return False  # a system check says so


def _queue(
    channel: str,
    group: str,
    heap: Sequence[tuple[Alert, News]],
    now: datetime,
    settings: AlertsSettings,
) -> None:
    """Joins the message that waits for this channel and group, or begins one."""
    mine = Notification.objects.filter(channel=channel, group=group)
    waiting = mine.filter(state=Notification.State.WAITING).select_for_update().first()
    fresh = [{"alert": alert.pk, "news": news.value} for alert, news in heap]
    if waiting is None:
        newest = mine.order_by("-created_at").values_list("created_at", flat=True).first()
        due = now + _seconds(settings.group_wait)
        if newest is not None:
            due = max(due, min(newest, now) + _seconds(settings.group_interval))
        waiting = Notification(
            channel=channel, group=group, created_at=now, due_at=due, key=_key(channel, heap, now)
        )
    waiting.news = [*waiting.news, *fresh]
    severities = [waiting.severity, *(alert.severity for alert, _ in heap)]
    waiting.severity = max(filter(None, severities), key=lambda one: Severity(one).rank)
    waiting.save()
    waiting.alerts.add(*(alert.pk for alert, _ in heap))


def _key(channel: str, heap: Sequence[tuple[Alert, News]], now: datetime) -> str:
    """The same news can begin a message once: a second one breaks the unique key."""
    alert, news = heap[0]
    text = f"{channel}\n{alert.pk}\n{news}\n{now.isoformat()}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _remember(alert: Alert, news: News, now: datetime) -> None:
    if news is News.RESOLVED:
        alert.told_at = None
    elif news is News.ESCALATED:
        alert.escalated_at = now
    elif news is News.REMINDER:
        alert.retold_at = now
    else:
        alert.told_at = alert.retold_at = now


def _hold_back(alerts: Sequence[Alert]) -> None:
    """Takes alerts that are silenced or inhibited by now out of messages not yet sent.

    They count as untold then, and are told when that ends.
    """
    held = {alert.pk: alert for alert in alerts if alert.state != State.RESOLVED}
    if not held:
        return
    waiting = Notification.objects.filter(state=Notification.State.WAITING, alerts__in=held)
    messages = Notification.objects.filter(pk__in=waiting.values("pk"), state="waiting")
    for message in messages.select_for_update():
        taken = {one["alert"] for one in message.news if one["alert"] in held}
        message.news = [one for one in message.news if one["alert"] not in taken]
        message.alerts.remove(*taken)
        for pk in taken:
            held[pk].told_at = held[pk].retold_at = None
        _keep(message)
    Alert.objects.bulk_update(held.values(), ["told_at", "retold_at"])


def _keep(message: Notification) -> None:
    if message.news:
        message.save(update_fields=["news"])
    else:
        message.delete()


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
