from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance.models import (
    CallSite,
    DatabaseFinding,
    IndexSuggestion,
    QueryFingerprint,
    QueryPlan,
    QuerySample,
    QueryStatistics,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LIST = "admin:performance_queryfingerprint_changelist"


def query(number: int, sql: str, *, seconds: float = 1.0, hours_ago: int = 0) -> QueryFingerprint:
    now = timezone.now()
    found = QueryFingerprint.objects.create(
        id=number, sql=sql, kind="select", tables=["auth_user"], alias="default",
        first_seen=now, last_seen=now,
    )  # fmt: skip
    hour = (now - timedelta(hours=hours_ago)).replace(minute=0, second=0, microsecond=0)
    QueryStatistics.objects.create(
        fingerprint=found, hour=hour, calls=10, seconds=seconds, max_seconds=seconds / 2, rows=7,
        sketch=msgspec.msgpack.encode({1900: 9, 1990: 1}),
    )  # fmt: skip
    CallSite.objects.create(
        fingerprint=found, scope_kind="request", scope_name=f"view{number}", file="app/views.py",
        function="show", line=12, calls=10, seconds=seconds, first_seen=now, last_seen=now,
    )  # fmt: skip
    return found


def staff(*permissions: str) -> Client:
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reader() -> Client:
    return staff("view_queryfingerprint", "view_querysample")


def page(client: Client, address: str, **parameters: Any) -> str:
    response = client.get(address, parameters)
    assert response.status_code == 200
    return response.content.decode()


def test_the_most_costly_comes_first_with_its_figures(reader: Client) -> None:
    query(1, "SELECT cheap", seconds=1)
    query(-2, "SELECT costly", seconds=40)

    text = page(reader, reverse(LIST))

    assert text.index("SELECT costly") < text.index("SELECT cheap")
    assert "40.000" in text
    assert "4000.00" in text


def test_the_period_decides_what_counts(reader: Client) -> None:
    query(1, "SELECT lately", seconds=1)
    query(2, "SELECT earlier", seconds=40, hours_ago=50)

    today, week = page(reader, reverse(LIST)), page(reader, reverse(LIST), period="7")

    assert today.index("SELECT lately") < today.index("SELECT earlier")
    assert week.index("SELECT earlier") < week.index("SELECT lately")


@pytest.mark.parametrize("words", ["lately", "auth_user view1", "views.py SELECT"])
def test_search_knows_sql_tables_and_callers(reader: Client, words: str) -> None:
    query(1, "SELECT lately")
    query(2, "UPDATE other").call_sites.update(scope_name="nothing", file="")

    text = page(reader, reverse(LIST), q=words)

    assert "SELECT lately" in text
    assert "UPDATE other" not in text


def test_filters(reader: Client) -> None:
    one, two = query(1, "SELECT one"), query(2, "SELECT two")
    QueryFingerprint.objects.filter(pk=two.pk).update(status="ignored")
    QuerySample.objects.create(
        fingerprint=one, finding="n_plus_one", scope_kind="request", scope_name="x", seconds=1,
        at=timezone.now(),
    )  # fmt: skip

    assert "SELECT two" not in page(reader, reverse(LIST))
    assert "SELECT two" in page(reader, reverse(LIST), **{"is": "ignored"})
    assert "SELECT one" in page(reader, reverse(LIST), finding="n_plus_one")
    assert "SELECT one" not in page(reader, reverse(LIST), finding="slow")
    assert "SELECT one" in page(reader, reverse(LIST), period="nonsense")


def test_the_list_asks_as_many_questions_however_long_it_is(
    reader: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 20):
        query(number, f"SELECT {'x' * number}")

    with django_assert_max_num_queries(7):
        page(reader, reverse(LIST))


def test_the_page_of_a_query_shows_trend_callers_and_findings(
    reader: Client, django_assert_max_num_queries: Any
) -> None:
    one = query(-1, "SELECT <one> FROM auth_user")
    QuerySample.objects.create(
        fingerprint=one, finding="n_plus_one", scope_kind="request", scope_name="view", seconds=1,
        file="app/views.py", line=7, remedy='Add select_related("user").', at=timezone.now(),
    )  # fmt: skip

    with django_assert_max_num_queries(8):
        text = page(reader, reverse("admin:performance_queryfingerprint_change", args=[one.pk]))

    assert "SELECT &lt;one&gt; FROM auth_user" in text
    assert "app/views.py:12" in text
    assert "app/views.py:7" in text
    assert "select_related(&quot;user&quot;)" in text
    assert "<polyline" in text
    assert "Ignore it" not in text


def test_a_query_without_anything_has_a_page(reader: Client) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    one = QueryFingerprint.objects.create(
        id=5, sql="SELECT", kind="select", alias="default", first_seen=moment, last_seen=moment
    )

    text = page(reader, reverse("admin:performance_queryfingerprint_change", args=[one.pk]))

    assert "It did not run in the last 7 days." in text
    assert "Nobody ran it lately." in text
    assert "Nothing notable was seen of it." in text


@pytest.mark.parametrize("pk", ["0x1", "-", "99999999999999999999", "²", "7"])
def test_no_such_query(reader: Client, pk: str) -> None:
    address = reverse("admin:performance_queryfingerprint_change", args=[pk])

    assert reader.get(address).status_code == 404


def test_ignoring_wants_its_permission_and_is_seen() -> None:
    query(1, "SELECT one")
    address = reverse("admin:performance_queryfingerprint_status", args=[1])

    assert staff("view_queryfingerprint").post(address, {"status": "ignored"}).status_code == 403
    may = staff("view_queryfingerprint", "ignore_query")
    assert may.get(address).status_code == 405
    assert may.post(address, {"status": "gone"}).status_code == 404
    assert may.post(address, {"status": "ignored"}).status_code == 302
    assert QueryFingerprint.objects.get().status == "ignored"


def test_samples_are_listed_and_found(reader: Client) -> None:
    QuerySample.objects.create(
        finding="long_transaction", scope_kind="task", scope_name="tasks.work", seconds=2.5,
        file="app/tasks.py", line=3, at=timezone.now(),
    )  # fmt: skip
    address = reverse("admin:performance_querysample_changelist")

    text = page(reader, address)
    assert "app/tasks.py:3" in text
    assert "2500.00" in text
    assert "app/tasks.py:3" in page(reader, address, q="tasks.work")
    assert "app/tasks.py:3" not in page(reader, address, finding__exact="slow")


@pytest.mark.parametrize("name", ["queryfingerprint", "querysample"])
def test_without_permission_nothing_is_shown_and_nobody_writes(name: str, reader: Client) -> None:
    address = reverse(f"admin:performance_{name}_changelist")

    assert staff().get(address).status_code == 403
    assert reader.get(address + "add/").status_code == 403
    assert reader.get(address + "export/").status_code == 200


DETAIL = "admin:performance_queryfingerprint_change"


@pytest.fixture
def analysed() -> QueryFingerprint:
    """A query with a plan, a finding and an index that would help it."""
    found, now = query(77, "SELECT analysed"), timezone.now()
    plan = {
        "kind": "Limit", "cost": 10.0, "rows": 5,
        "children": [{"kind": "Seq Scan", "on": "t", "cost": 9.0, "rows": 5, "conditions": {"Filter": "(a = ?)"}}],
    }  # fmt: skip
    QueryPlan.objects.create(fingerprint=found, plan=plan, made_at=now)
    about = {"alias": "default", "last_seen": now}
    for number in ("77", "7"):
        DatabaseFinding.objects.create(
            kind="sequential_scan", severity="warning", about="t", statement=number, said=f"Finding of {number}.",
            remedy="Add an index.", **about,
        )  # fmt: skip
        IndexSuggestion.objects.create(
            table="t", definition=f"public.t (a{number})", sql="CREATE INDEX", confidence="verified", cost_before=9.0,
            cost_after=1.0, size=1, write_entries=0, blocks_hot=False,
            gains=[{"statement": number, "calls": 1, "before": 9.0, "after": 1.0}], **about,
        )  # fmt: skip
    return found


def test_a_query_has_its_plan_findings_and_suggestions(analysed: QueryFingerprint) -> None:
    reader = staff("view_queryfingerprint", "view_databasefinding", "view_indexsuggestion")

    text = page(reader, reverse(DETAIL, args=[analysed.pk]))

    assert "Finding of 77." in text
    assert "public.t (a77)" in text
    assert "Finding of 7." not in text
    assert "public.t (a7)" not in text
    assert '<li class="depth-1">' in text
    assert "(a = ?)" in text


def test_findings_and_suggestions_want_their_own_permissions(
    reader: Client, analysed: QueryFingerprint
) -> None:
    text = page(reader, reverse(DETAIL, args=[analysed.pk]))

    assert "Finding of 77." not in text
    assert "public.t (a77)" not in text


def test_a_query_that_was_never_analysed_says_so(reader: Client) -> None:
    query(5, "SELECT 1")

    assert "No plan is kept." in page(reader, reverse(DETAIL, args=[5]))
