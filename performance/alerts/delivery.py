"""Sends what waits in the outbox. Each message is claimed by a conditional UPDATE before it is sent.

A sender that dies between sending and writing so down is the one case in which a message goes out
again, after LEASE: it carries the same id then, by which receivers and mail programs know it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q

from performance import conf, metrics
from performance.alerts import channels, writing
from performance.alerts.channels import ChannelError, Message, Refused
from performance.models import AlertEvent, Notification
from performance.models.alerts import Alert

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)
"""Longer than any channel takes."""
LONGEST_RUN = 60.0
"""Seconds after which no further batch is begun: the task that runs this has a timeout."""
AT_ONCE = 8
MOST_ATTEMPTS = 8
BACKOFF, LONGEST = 10.0, 600.0
NState = Notification.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try went; `error` is empty where it was sent."""

    error: str = ""
    final: bool = False


def prepare() -> None:
    """Loads what the first message takes, the site's addresses and the channels, so that no alert waits for it."""
    writing.address(0)
    for problem in channels.problems():
        logger.error("alert_channel_unusable", problem=problem)


def deliver(*, now: datetime | None = None) -> int:
    """Sends all messages that are due; answers how many arrived. Several may run at once.

    None while alerts are switched off: they wait.
    """
    if not conf.current().alerts.enabled:
        return 0
    arrived, started = 0, time.monotonic()
    # The clock is read anew for each batch: a lease that began long ago would be over at once, and
    # another worker send the same messages.
    while time.monotonic() - started < LONGEST_RUN and (claimed := _claim(now or _clock())):
        messages = [(row, _written(row)) for row in claimed]
        # Side by side: a channel that hangs must not keep the others waiting.
        with ThreadPoolExecutor(AT_ONCE, "alerts") as pool:
            outcomes = list(pool.map(_send, messages))
        done = now or _clock()
        for (row, _), outcome in zip(messages, outcomes, strict=True):
            _write_down(row, outcome, done)
            arrived += not outcome.error
    return arrived


def _clock() -> datetime:
    """The database's time: the workers' own clocks may differ by more than a lease."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _claim(now: datetime) -> list[Notification]:
    """Rows that nobody else sends from here on."""
    due = Q(state__in=(NState.WAITING, NState.RETRYING), due_at__lte=now)
    dead = Q(state=NState.SENDING, claimed_at__lt=now - LEASE)
    claimed = []
    for row in Notification.objects.filter(due | dead).order_by("due_at", "pk")[:AT_ONCE]:
        mine = Notification.objects.filter(
            pk=row.pk, state=row.state, claimed_at=row.claimed_at
        ).update(state=NState.SENDING, claimed_at=now, attempts=F("attempts") + 1)
        if mine:
            # News may have joined between the two.
            row.refresh_from_db()
            claimed.append(row)
    return claimed


def _written(row: Notification) -> Message | Outcome:
    """The message to send; an outcome where there is none. One that cannot be written costs no other."""
    if row.attempts > MOST_ATTEMPTS:
        return Outcome("every worker that sent it died", final=True)
    try:
        return writing.message(row) or Outcome()
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("alert_not_written", channel=row.channel)
        return Outcome(f"it cannot be written: {type(error).__name__}")


def _send(pair: tuple[Notification, Message | Outcome]) -> Outcome:
    """Runs in a thread of its own and asks nothing of the database."""
    row, message = pair
    if isinstance(message, Outcome):
        return message
    try:
        channels.get(row.channel).send(message)
    except Refused as error:
        return Outcome(str(error)[:200], final=True)
    except ChannelError as error:
        return Outcome(str(error)[:200])
    except ImproperlyConfigured:
        return Outcome("the channel is not in settings, or not right there", final=True)
    except Exception as error:  # noqa: BLE001 -- a channel of somebody else's; its text may hold secrets
        return Outcome(type(error).__name__)
    return Outcome()


def _write_down(row: Notification, outcome: Outcome, now: datetime) -> None:
    mine = Notification.objects.filter(pk=row.pk, state=NState.SENDING, claimed_at=row.claimed_at)
    status = "sent"
    if not outcome.error:
        with transaction.atomic():
            if mine.update(state=NState.SENT, sent_at=now, error=""):
                _tell_events(row, now)
    elif outcome.final or row.attempts >= MOST_ATTEMPTS:
        status = "failed"
        mine.update(state=NState.FAILED, error=outcome.error)
        logger.error("alert_not_told", channel=row.channel, error=outcome.error)
    else:
        status = "retried"
        wait = min(LONGEST, BACKOFF * 2.0 ** (row.attempts - 1))
        mine.update(
            state=NState.RETRYING, error=outcome.error, due_at=now + timedelta(seconds=wait)
        )
        logger.warning("alert_retried", channel=row.channel, error=outcome.error)
    metrics.count("alert_notifications", channel=row.channel, status=status)


def _tell_events(row: Notification, now: datetime) -> None:
    kinds = AlertEvent.Kind
    known = set(
        Alert.objects.filter(pk__in=[o["alert"] for o in row.news]).values_list("pk", flat=True)
    )
    AlertEvent.objects.bulk_create(
        AlertEvent(
            alert_id=one["alert"],
            kind=kinds.ESCALATED if one["news"] == "nobody acknowledged" else kinds.TOLD,
            at=now,
            note=f"{row.channel}: {one['news']}",
        )
        for one in _newest(row.news)
        if one["alert"] in known
    )


def _newest(news: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last of each alert's news."""
    return list({one["alert"]: one for one in news}.values())
