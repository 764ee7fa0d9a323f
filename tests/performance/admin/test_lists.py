"""Every list of the app's models: it can be filtered, searched and downloaded, and costs few queries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance.admin.export import CsvExport
from performance.metrics import rows
from performance.metrics.definitions import Kind
from performance.metrics.series import series
from performance.metrics.summary import Summary
from performance.models import Alert, AlertEvent, AlertRule, Dashboard
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
LISTS = [
    (model, model_admin)
    for model, model_admin in admin.site._registry.items()
    if model._meta.app_label == "performance" and model is not Dashboard
]
HOSTILE = "<script>alert(1)</script>"


def name(model: Any) -> str:
    return f"admin:performance_{model._meta.model_name}"


@pytest.fixture
def client() -> Client:
    made = Client()
    made.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return made


@pytest.mark.parametrize(
    ("model", "model_admin"), LISTS, ids=lambda one: getattr(one, "__name__", "")
)
def test_every_list_is_filtered_searched_and_downloaded(
    model: Any, model_admin: Any, client: Client
) -> None:
    assert model_admin.list_filter
    assert model_admin.search_fields
    assert isinstance(model_admin, CsvExport)
    for address in (f"{name(model)}_changelist", f"{name(model)}_export"):
        response = client.get(reverse(address), {"q": "a'\"%_\\"})
        assert response.status_code == 200, address
        assert response.getvalue() if response.streaming else response.content  # type: ignore[attr-defined]


def measured(count: int) -> None:
    for number in range(count):
        one = series("request_seconds", {"view": f"{HOSTILE}{number}"})
        summary = Summary()
        summary.observe(0.25, 4)
        rows.register([(one, Kind.DISTRIBUTION)])
        rows.write(rows.MINUTE, [rows.Bucket(one.id, datetime(2026, 3, 4, tzinfo=UTC), summary)])


def alerted(count: int) -> None:
    now = timezone.now()
    rule = AlertRule.objects.create(name="slow", title=HOSTILE, metric="x", threshold=1)
    for number in range(count):
        alert = Alert.objects.create(
            rule=rule, key=str(number), state="firing", severity="info", began_at=now, seen_at=now
        )
        AlertEvent.objects.create(alert=alert, kind="commented", note=HOSTILE, actor_name="bob")


@pytest.mark.parametrize("path", ["metricseries", "metricbucket", "alertevent"])
def test_a_list_costs_as_many_queries_whatever_its_length(
    path: str, client: Client, django_assert_max_num_queries: Any
) -> None:
    measured(12)
    alerted(12)
    with django_assert_max_num_queries(8):
        page = client.get(reverse(f"admin:performance_{path}_changelist"))
    assert HOSTILE not in page.content.decode()
    assert "&lt;script&gt;" in page.content.decode()


def test_buckets_show_their_quantiles(client: Client) -> None:
    measured(1)
    page = client.get(reverse("admin:performance_metricbucket_changelist")).content.decode()
    assert "250 ms" in page
    found = client.get(reverse("admin:performance_metricbucket_export"))
    assert b"request_seconds" in found.getvalue()  # type: ignore[attr-defined]
    assert (
        b"series__name,series__labels,resolution,start,count,sum,min,max"
        in client.get(reverse("admin:performance_metricbucket_export")).getvalue()
    )  # type: ignore[attr-defined]


def test_a_series_leads_to_its_rows(client: Client) -> None:
    measured(2)
    one = series("request_seconds", {"view": f"{HOSTILE}1"})
    address = reverse("admin:performance_metricbucket_changelist")
    page = client.get(reverse("admin:performance_metricseries_changelist")).content.decode()
    assert f'href="{address}?series_id={one.id}"' in page
    assert client.get(address, {"series_id": one.id}).context["cl"].result_count == 1
