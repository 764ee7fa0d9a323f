"""CSV of list pages: what is in it, who may have it, and that spreadsheets run nothing of it."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from performance.admin import TaskRunAdmin
from performance.admin.export import cell, lines
from performance.models import TaskRun

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/performance/taskrun/export/"


@pytest.fixture
def client() -> Client:
    user = User.objects.create_user("alice", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_taskrun"))
    made = Client()
    made.force_login(user)
    return made


def fill(count: int, **values: Any) -> None:
    now = timezone.now()
    some = {"task": "app.tasks.x", "level": "low", "status": "failed", "waited": 1, "ran": 2.5}
    TaskRun.objects.bulk_create(
        TaskRun(**{**some, **values}, attempt=1, started_at=now, finished_at=now + timedelta(0, n))
        for n in range(count)
    )


def rows_of(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_file_holds_what_filters_and_search_leave_in_the_lists_order(client: Client) -> None:
    fill(3)
    fill(2, status="successful", error='x, "y"\nz')
    response = client.get(ADDRESS, {"status__exact": "successful", "q": "app.tasks", "o": "9"})
    found = rows_of(response)
    assert [row["error"] for row in found] == ['x, "y"\nz'] * 2
    assert found[0]["finished_at"] <= found[1]["finished_at"]
    assert found[0]["ran"] == "2.5"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="taskrun-')


def test_the_list_links_to_it_with_its_own_filters(client: Client) -> None:
    fill(1)
    page = client.get("/admin/performance/taskrun/", {"q": "a&b app", "level__exact": "low"})
    assert (
        'href="/admin/performance/taskrun/export/' not in page.content.decode()
    )  # nothing was found
    page = client.get("/admin/performance/taskrun/", {"level__exact": "low", "p": "1"})
    assert 'href="/admin/performance/taskrun/export/?level__exact=low"' in page.content.decode()


def test_only_who_may_view_may_download(client: Client) -> None:
    User.objects.get().user_permissions.clear()
    assert client.get(ADDRESS).status_code == 403
    assert Client().get(ADDRESS).status_code == 302


def test_it_is_only_read(client: Client) -> None:
    assert client.post(ADDRESS).status_code == 405


def test_a_bad_filter_leads_back_to_the_list(client: Client) -> None:
    assert client.get(ADDRESS, {"finished_at__gte": "x"})["Location"] == "../?e=1"


def test_a_file_that_was_cut_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskRunAdmin, "csv_rows", 2)
    fill(3)
    response = client.get(ADDRESS)
    assert len(rows_of(response)) == 2
    assert response["Content-Disposition"].endswith('-first-2.csv"')


def test_it_takes_as_many_queries_whatever_its_length(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    fill(1200)
    with django_assert_max_num_queries(6):
        assert len(rows_of(client.get(ADDRESS))) == 1200


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),  # noqa: RUF001
        (-1, -1),
        (-1.5, -1.5),
        (None, None),
        (True, True),
        ("plain = text", "plain = text"),
        ({"a": "=1"}, '{"a": "=1"}'),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
    ],
)
def test_text_is_never_a_formula(value: Any, shown: Any) -> None:
    assert cell(value) == shown


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in lines(["a"], (["x" * 100] for _ in range(count))):
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(1000)
    assert peak(20_000) < 2 * peak(1000)
