from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance.models import DatabaseFinding, IndexSuggestion

pytestmark = pytest.mark.django_db
PLAN = {
    "kind": "Limit", "cost": 10.0, "rows": 5,
    "children": [{"kind": "Seq Scan", "on": "t", "cost": 9.0, "rows": 5, "conditions": {"Filter": "(t.a = ?)"}}],
}  # fmt: skip


@pytest.fixture
def suggestion() -> IndexSuggestion:
    return IndexSuggestion.objects.create(
        alias="default", table="t", definition="public.t (a)", sql="CREATE INDEX CONCURRENTLY x ON public.t (a)",
        confidence="verified", cost_before=100.0, cost_after=1.0, size=8192, write_entries=0, blocks_hot=False,
        gains=[{"statement": "7", "calls": 10, "before": 10.0, "after": 0.1}], plan_before=PLAN, plan_after=PLAN,
        last_seen=timezone.now(),
    )  # fmt: skip


def client_with(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:performance_{name}", args=args)


def decide(client: Client, one: IndexSuggestion, **data: str) -> IndexSuggestion:
    response = client.post(url("index_decide", one.pk), data)
    assert response.status_code in {302, 403}
    one.refresh_from_db()
    return one


def test_the_page_shows_plan_and_statements(suggestion: IndexSuggestion) -> None:
    page = (
        client_with("view_indexsuggestion")
        .get(url("indexsuggestion_change", suggestion.pk))
        .content.decode()
    )

    assert "Seq Scan" in page
    assert "(t.a = ?)" in page
    assert "CREATE INDEX CONCURRENTLY" in page
    assert "Dismiss" not in page


def test_the_list_and_the_findings(suggestion: IndexSuggestion) -> None:
    DatabaseFinding.objects.create(
        alias="default", kind="unused_index", severity="warning", about="i", said="unused", remedy="drop",
        last_seen=timezone.now(),
    )  # fmt: skip
    client = client_with("view_indexsuggestion", "view_databasefinding")

    assert "public.t (a)" in client.get(url("indexsuggestion_changelist")).content.decode()
    assert "unused_index" in client.get(url("databasefinding_changelist")).content.decode()


def test_strangers_see_nothing(suggestion: IndexSuggestion) -> None:
    assert client_with().get(url("indexsuggestion_change", suggestion.pk)).status_code == 403


def test_a_suggestion_that_is_gone(suggestion: IndexSuggestion) -> None:
    assert (
        client_with("view_indexsuggestion").get(url("indexsuggestion_change", 999_999)).status_code
        == 302
    )


def test_accepting_is_written_down(suggestion: IndexSuggestion) -> None:
    one = decide(client_with("decide_index", "view_indexsuggestion"), suggestion, status="accepted")

    assert (one.status, one.decided_by and one.decided_by.username) == ("accepted", "staff")
    assert LogEntry.objects.get().change_message == "accepted"


def test_dismissing_wants_a_reason(suggestion: IndexSuggestion) -> None:
    client = client_with("decide_index", "view_indexsuggestion")

    assert decide(client, suggestion, status="dismissed").status == "proposed"
    one = decide(client, suggestion, status="dismissed", reason="a yearly report")
    assert (one.status, one.reason) == ("dismissed", "a yearly report")
    assert decide(client, suggestion, status="proposed").status == "proposed"


def test_deciding_is_a_permission_of_its_own(suggestion: IndexSuggestion) -> None:
    assert (
        decide(client_with("view_indexsuggestion"), suggestion, status="accepted").status
        == "proposed"
    )


@pytest.mark.parametrize("status", ["helped", "", "x"])
def test_other_states_are_not_for_people(suggestion: IndexSuggestion, status: str) -> None:
    assert decide(client_with("decide_index"), suggestion, status=status).status == "proposed"
