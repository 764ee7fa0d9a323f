"""The admin's pages of queues: what is shown, and that each lever has its permission."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance.models import TaskRun
from performance.queues import Level, inspection
from tests.performance.queues.conftest import run_waiting_tasks, use
from tests.performance.queues.jobs import tasks

pytestmark = pytest.mark.django_db(transaction=True)
OVERVIEW = "/admin/performance/taskrun/queues/"
PAGES = [OVERVIEW, f"{OVERVIEW}low/failed/", f"{OVERVIEW}low/empty/"]


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, target: str) -> int:
    return client.post(f"{OVERVIEW}act/", {"action": action, "target": target}).status_code


def test_the_overview_shows_levels_schedules_and_statistics(server: Any) -> None:
    now = timezone.now()
    TaskRun.objects.create(
        task="app.tasks.x", level="low", status="failed", waited=1, ran=2, attempt=1,
        started_at=now, finished_at=now,
    )  # fmt: skip
    server.hset("rq:own:schedules", "app.tasks.y", f"{now.timestamp()} every 60 s")
    tasks.add.enqueue(1, 2)
    page = staff("view_queues").get(reverse("admin:performance_queues"))
    text = page.content.decode()
    assert page.status_code == 200
    assert "app.tasks.x" in text
    assert "app.tasks.y" in text
    assert "No worker runs" in text
    assert "Pause" not in text


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_permissions_see_nothing(server: Any, page: str) -> None:
    assert staff().get(page).status_code == 403
    assert Client().get(page).status_code == 302


def test_jobs_are_shown_without_their_arguments(server: Any) -> None:
    tasks.keep.enqueue("a secret")
    for registry in ("queued", "failed", "scheduled", "started", "finished", "canceled"):
        page = staff_page(f"{OVERVIEW}normal/{registry}/")
        assert page.status_code == 200
        assert b"a secret" not in page.content
    assert b"jobs.tasks.keep" in staff_page(f"{OVERVIEW}normal/queued/").content


def staff_page(url: str) -> Any:
    client = Client()
    user, _ = User.objects.get_or_create(username="root", is_staff=True, is_superuser=True)
    client.force_login(user)
    return client.get(url)


@pytest.mark.parametrize("url", ["nowhere/queued/", "low/nothing/", "nowhere/empty/"])
def test_what_is_not_there(server: Any, url: str) -> None:
    assert staff_page(f"{OVERVIEW}{url}").status_code == 404


@pytest.mark.parametrize("first", ["-1", "x", "²", "9" * 30])
def test_a_bad_page_number_is_the_first_page(server: Any, first: str) -> None:
    assert staff_page(f"{OVERVIEW}low/queued/?first={first}").status_code == 200


@pytest.mark.parametrize(
    ("action", "target", "permission"),
    [
        ("pause", "low", "pause_level"),
        ("resume", "low", "pause_level"),
        ("empty", "low", "empty_level"),
        ("retry", "x", "retry_task"),
        ("retry_failed", "low", "retry_task"),
        ("cancel", "x", "cancel_task"),
        ("pause_schedule", "x", "pause_level"),
        ("resume_schedule", "x", "pause_level"),
    ],
)
def test_each_action_needs_its_permission(
    server: Any, action: str, target: str, permission: str
) -> None:
    everything = {"view_queues", "retry_task", "cancel_task", "pause_level", "empty_level"}
    client = staff(*(everything - {permission}))
    assert act(client, action, target) == 403
    assert not LogEntry.objects.exists()
    User.objects.get().user_permissions.add(Permission.objects.get(codename=permission))
    assert act(client, action, target) == 302
    assert LogEntry.objects.get().object_repr == f"{action} {target}"


def test_actions_act(server: Any) -> None:
    client = staff("view_queues", "retry_task", "cancel_task", "pause_level", "empty_level")
    act(client, "pause", "normal")
    assert next(s for s in inspection.levels() if s.level == Level.NORMAL).paused
    act(client, "resume", "normal")
    cancelled, failed = tasks.add.enqueue(1, 2), tasks.fail.enqueue("no")
    act(client, "cancel", cancelled.id)
    assert server.hget(f"rq:job:{cancelled.id}", "status") == b"canceled"
    run_waiting_tasks()
    act(client, "retry", failed.id)
    assert server.llen("rq:queue:normal") == 1
    act(client, "empty", "normal")
    assert server.llen("rq:queue:normal") == 0


def test_nonsense_is_not_found(server: Any) -> None:
    client = staff("view_queues", "pause_level")
    assert act(client, "explode", "low") == 404
    assert act(client, "pause", "nowhere") == 404
    assert act(client, "pause_schedule", "task\0") == 404
    assert not server.exists("rq:own:schedules:paused")
    assert client.get(f"{OVERVIEW}act/").status_code == 405


def test_without_redis_the_page_says_so(settings: Any) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    page = staff("view_queues").get(OVERVIEW)
    assert page.status_code == 200
    assert b"does not answer" in page.content


def test_task_runs_are_read_only(server: Any) -> None:
    now = timezone.now()
    run = TaskRun.objects.create(
        task="app.tasks.x", level="low", status="successful", waited=1, ran=2, attempt=1,
        started_at=now - timedelta(seconds=2), finished_at=now,
    )  # fmt: skip
    client = staff("view_taskrun")
    assert client.get("/admin/performance/taskrun/?q=tasks.x").status_code == 200
    assert client.get(f"/admin/performance/taskrun/{run.pk}/change/").status_code == 200
    assert client.get("/admin/performance/taskrun/add/").status_code == 403
    assert client.post(f"/admin/performance/taskrun/{run.pk}/delete/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "args"), [("queue_jobs", ["low", "queued"]), ("queue_empty", ["low"])]
)
def test_pages_while_the_queue_server_is_away(
    admin_client: Any, settings: Any, page: str, args: list[str]
) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    answer = admin_client.get(reverse(f"admin:performance_{page}", args=args), follow=True)
    assert answer.status_code == 200
    assert "does not answer" in answer.content.decode()
