from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from chatsite.request_ids import trace_id_of
from conversations.models import Reply
from conversations.tasks import write_reply
from performance import metrics
from performance.models import Alert, AlertRule, QuerySample, TaskRun
from performance.queues import connection, finding, outbox, submission
from performance.queues.conf import QueueOptions
from tests.factories import MessageFactory, ReplyFactory, ToolRunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue_redis")]
PAGE = "/admin/happened/"
ID = "5f0c7c1e-1111-4222-8333-444455556666"
ALL = [
    "view_dashboard",
    "view_reply",
    "view_toolrun",
    "view_taskrun",
    "view_querysample",
    "view_alert",
]


def staff(*permissions: str) -> Client:
    user, _ = User.objects.get_or_create(username="bob", defaults={"is_staff": True})
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def everything() -> Reply:
    now = timezone.now()
    message = MessageFactory(text="a secret of Alice's")
    reply: Reply = ReplyFactory(
        message=message,
        correlation_id=ID,
        asked_at=now,
        input_tokens=7,
        stream_start="1700000000000-0",
        frames=143,
    )
    metrics.example("request_seconds", 2, ID, view="conversations:list", method="GET", status="5xx")
    metrics.remember(ID, ("conversations:detail", "GET", "2xx"), 0.0125)
    metrics.remember(ID, ("conversations:events", "GET", "lifetime"), 300)
    metrics.count("beside_it")
    metrics.flush()
    Alert.objects.create(
        rule=AlertRule.objects.first(), severity="warning", state="firing", examples=["other", ID],
        began_at=now, seen_at=now, fired_at=now + timedelta(hours=1),
    )  # fmt: skip
    ToolRunFactory(reply=reply, name="calculator", arguments="a secret", started_at=now)
    TaskRun.objects.create(
        task="conversations.tasks.write_reply", level="high", status="successful", waited=0.01,
        ran=1.5, attempt=1, task_id="job-1", correlation_id=ID, started_at=now,
        finished_at=now + timedelta(seconds=1),
    )  # fmt: skip
    QuerySample.objects.create(
        finding="slow", scope_kind="request", scope_name="conversations:detail", seconds=0.2,
        correlation_id=ID, at=now, remedy="An index",
    )  # fmt: skip
    return reply


def text(client: Client, asked: str) -> str:
    return client.get(PAGE, {"id": asked}).content.decode()


@pytest.mark.parametrize("asked", [ID, "job-1"])
def test_one_id_finds_all_that_belongs_together_and_nothing_that_was_written(asked: str) -> None:
    everything()
    page = text(staff(*ALL), asked)
    parts = ("write_reply", "calculator", "An index", "Attempt 0", "7 tokens in", "1700000000000-0")
    for part in (*parts, "GET conversations:list", "5xx", "names it", "143 events"):
        assert part in page
    for quick in (
        "GET conversations:detail",
        "2xx",
        "0.013",
        "GET conversations:events",
        "lifetime",
    ):
        assert quick in page
    assert "are known by their ids since" in page
    assert "secret" not in page


def test_any_request_is_found_by_the_id_that_it_was_answered_with() -> None:
    client = staff(*ALL)
    answered = client.get("/help/")
    metrics.flush()
    page = text(client, answered.headers["X-Request-ID"])
    assert f"GET {resolve('/help/').view_name}" in page
    assert "2xx" in page


def test_the_trace_is_linked_where_the_site_knows_of_a_place(settings: Any) -> None:
    settings.TRACE_URL = "https://traces.example.org/{trace_id}"
    assert f"https://traces.example.org/{trace_id_of(ID)}" in text(staff(*ALL), ID)
    settings.TRACE_URL = ""
    assert "The trace" not in text(staff(*ALL), ID)


def test_what_one_may_not_view_is_not_shown_and_said() -> None:
    everything()
    page = text(staff("view_taskrun"), ID)
    assert "write_reply" in page
    assert "calculator" not in page
    assert "Not shown, for want of a permission: requests, replies, tools, queries, alerts." in page


def test_nothing_found_says_what_might_be_the_reason() -> None:
    assert "Nothing with this id" in text(staff(*ALL), "unknown-id")


def enqueue(**options: Any) -> str:
    """A job of the request ID, which no worker takes."""
    with structlog.contextvars.bound_contextvars(request_id=ID):
        job = submission.prepare(write_reply.using(**options), (), {}, QueueOptions())
    submission.send(connection.client(), [job])
    return job.id


@pytest.mark.parametrize("by", ["request", "job"])
def test_jobs_that_wait_or_are_due_later_are_found(by: str) -> None:
    waiting = enqueue()
    enqueue(run_after=datetime(2030, 5, 6, 7, 8, tzinfo=UTC))
    page = text(staff(*ALL), ID if by == "request" else waiting)
    for part in ("write_reply, high, attempt 1", "is queued", "is due at 2030-05-06 07:08:00"):
        assert part in page


def test_jobs_that_redis_does_not_have_yet_are_found() -> None:
    with structlog.contextvars.bound_contextvars(request_id=ID):
        job = submission.prepare(write_reply, (), {}, QueueOptions())
    outbox.keep("conversations.tasks.write_reply", [job])
    assert "waits for Redis" in text(staff(*ALL), ID)


def test_of_long_queues_it_says_what_was_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST", 1)
    enqueue()
    enqueue()
    assert "1 jobs of long queues were not looked at" in text(staff(*ALL), ID)


def test_without_redis_the_rest_is_shown_and_it_says_so(settings: Any) -> None:
    everything()
    nowhere = {"URL": "redis://127.0.0.1:1/0", "DEFAULT_TIMEOUT": 60}
    settings.RQ_QUEUES = dict.fromkeys(settings.RQ_QUEUES, nowhere)
    page = text(staff(*ALL), ID)
    assert "jobs that wait or run are not known" in page
    assert "calculator" in page


@pytest.mark.parametrize(
    ("ended", "said"), [(None, "in Redis"), (timedelta(hours=2), "keeps them no more")]
)
def test_events_say_whether_they_are_still_there(ended: timedelta | None, said: str) -> None:
    at = timezone.now() - ended if ended else None
    ReplyFactory(correlation_id=ID, stream_start="1700000000000-0", finished_at=at)
    assert said in text(staff(*ALL), ID)


@pytest.mark.parametrize("asked", ["<script>", "x" * 65, "a b"])
def test_what_is_no_id_is_refused(asked: str) -> None:
    answer = staff(*ALL).get(PAGE, {"id": asked})
    assert answer.status_code == 400
    assert "<script>" not in answer.content.decode().split("</head>")[1].replace("<script>x", "")


def test_the_page_costs_a_query_a_kind(django_assert_max_num_queries: Any) -> None:
    everything()
    client = staff(*ALL)
    with django_assert_max_num_queries(11):
        client.get(PAGE, {"id": ID})
