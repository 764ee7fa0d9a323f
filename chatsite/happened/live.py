"""What Redis knows of an id: requests and event streams of the last day, and jobs that are not over."""

from __future__ import annotations

from datetime import UTC, datetime

import redis
from django.urls import reverse

from chatsite.happened.row import MOST, Found, Row
from performance.metrics import examples, trail
from performance.metrics.trail import Step
from performance.models import TaskOutbox
from performance.queues import finding
from performance.queues.job_lists import JobState

STREAM = "conversations:events"
AWAY = "The queue's Redis does not answer: jobs that wait or run are not known."


def correlation_of(task_id: str) -> str:
    """The id of the request that set a live job going; "" where that is not to be had."""
    try:
        return finding.correlation_of(task_id)
    except redis.RedisError:
        return ""


def requests(correlation: str, found: Found) -> None:
    """All of the last day, or of as much of it as fits; of those that failed or took long somewhat more."""
    steps = trail.of(correlation)
    known = {(step.what, step.method, step.how) for step in steps}
    rows = [_of_step(step) for step in steps]
    for example in examples.of(correlation):
        labels = tuple(example.labels.get(name, "") for name in ("view", "method", "status"))
        if example.metric == "request_seconds" and labels not in known:
            view, method, status = labels
            what = f"{method} {view}".strip()
            rows.append(Row("request", _time(example.at), what, status, example.value, ""))
    found.rows += rows[:MOST]
    if oldest := trail.since():
        found.notes.append(f"Requests are known by their ids since {oldest:%Y-%m-%d %H:%M} UTC.")


def _of_step(step: Step) -> Row:
    kind = "stream" if step.what == STREAM else "request"
    what = f"{step.method} {step.what}".strip()
    return Row(kind, _time(step.at), what, step.how, step.seconds, "")


def jobs(correlation: str, found: Found) -> None:
    """Those that wait for a worker or for their time, and those that run."""
    found.rows += [_of_outbox(row) for row in finding.in_outbox(correlation)[:MOST]]
    try:
        live = finding.of(correlation)
    except redis.RedisError:
        found.notes.append(AWAY)
        return
    found.rows += [_of_job(job) for job in live.jobs[:MOST]]
    if live.left_out:
        text = "{:,} jobs of long queues were not looked at; of each list the newest {:,} were."
        found.notes.append(text.format(live.left_out, finding.MOST))


def _of_job(job: JobState) -> Row:
    at = job.started_at if job.status == "started" else job.enqueued_at
    how = f"is {job.status}" if job.run_at is None else f"is due at {job.run_at:%Y-%m-%d %H:%M:%S}"
    registry = {"queued": "queued", "started": "started", "scheduled": "scheduled"}.get(job.status)
    url = reverse("admin:performance_queue_jobs", args=[job.level, registry]) if registry else ""
    what = f"{job.task}, {job.level}, attempt {job.attempts + (job.status != 'started')}"
    return Row("job", at, what, how, None, url)


def _of_outbox(row: TaskOutbox) -> Row:
    level = row.job["level"]
    return Row("job", row.created_at, f"{row.task}, {level}", "waits for Redis", None, "")


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
