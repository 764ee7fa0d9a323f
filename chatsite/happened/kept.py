"""What PostgreSQL keeps of an id: replies with their calls, tasks, noted queries and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from chatsite.happened.row import MOST, Found, Row, between
from conversations.models import Reply, ToolRun
from conversations.streams import EVENTS_LIFE
from performance.models import Alert, QuerySample, TaskRun


def replies(correlation: str, found: Found) -> None:
    for reply in Reply.objects.filter(correlation_id=correlation)[:MOST]:
        found.rows += _of_reply(reply)


def _of_reply(reply: Reply) -> Iterator[Row]:
    """The attempt, its calls of the model, and where its events begin in the conversation's stream."""
    url = reverse("admin:conversations_reply_change", args=[reply.pk])
    author = f"{reply.backend} {reply.model}".strip()
    how = f"{reply.get_status_display()} {reply.error}".strip()
    took = between(reply.pending_since, reply.finished_at)
    yield Row("reply", reply.pending_since, f"Attempt {reply.attempt}", how, took, url)
    if reply.asked_at:
        tokens = f"{reply.input_tokens or 0} tokens in, {reply.output_tokens or 0} out"
        took = between(reply.asked_at, reply.finished_at)
        yield Row("model", reply.asked_at, author, tokens, took, url)
    if reply.stream_start:
        began = datetime.fromtimestamp(int(reply.stream_start.partition("-")[0]) / 1000, UTC)
        count = "Events" if reply.frames is None else f"{reply.frames} events"
        what = f"{count} from {reply.stream_start}"
        took = between(began, reply.finished_at)
        yield Row("events", began, what, _whether_kept(reply), took, url)


def _whether_kept(reply: Reply) -> str:
    over = reply.finished_at and reply.finished_at + timedelta(seconds=EVENTS_LIFE) < timezone.now()
    return "Redis keeps them no more; the answer is in its message" if over else "in Redis"


def tools(correlation: str, found: Found) -> None:
    runs = ToolRun.objects.filter(reply__correlation_id=correlation)[:MOST]
    found.rows += [
        Row(
            "tool",
            run.started_at,
            run.name,
            "failed" if run.error else "from the cache" if run.cached_at else "done",
            run.milliseconds / 1000,
            reverse("admin:conversations_toolrun_change", args=[run.pk]),
        )
        for run in runs
    ]


def tasks(correlation: str, found: Found) -> None:
    runs: QuerySet[TaskRun] = TaskRun.objects.filter(
        Q(correlation_id=correlation) | Q(task_id=correlation)
    )
    found.rows += [
        Row(
            "task",
            run.started_at,
            f"{run.task}, {run.level}, attempt {run.attempt}, waited {run.waited:.3f} s",
            f"{run.get_status_display()} {run.error}".strip(),
            run.ran,
            reverse("admin:performance_taskrun_change", args=[run.pk]),
        )
        for run in runs[:MOST]
    ]


def samples(correlation: str, found: Found) -> None:
    samples = QuerySample.objects.filter(correlation_id=correlation)[:MOST]
    found.rows += [
        Row(
            "query",
            sample.at,
            str(sample),
            sample.remedy,
            sample.seconds,
            reverse("admin:performance_querysample_change", args=[sample.pk]),
        )
        for sample in samples
    ]


def alerts(correlation: str, found: Found) -> None:
    """Those that name it, and those that were firing while any of it happened."""
    wanted = Q(examples__contains=[correlation])
    times = [row.at for row in found.rows if row.at]
    if times:
        still = Q(resolved_at__isnull=True) | Q(resolved_at__gte=min(times))
        wanted |= still & Q(fired_at__lte=max(times))
    alerts = Alert.objects.filter(wanted).select_related("rule")[:MOST]
    found.rows += [
        Row(
            "alert",
            alert.fired_at,
            str(alert),
            f"{alert.get_state_display()}{', names it' if correlation in alert.examples else ''}",
            between(alert.fired_at, alert.resolved_at),
            reverse("admin:performance_alert_change", args=[alert.pk]),
        )
        for alert in alerts
    ]
