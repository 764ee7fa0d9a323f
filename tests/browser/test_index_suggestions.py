"""An index suggestion as staff read it: on a phone and in the dark, without a fault that axe finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from performance.models import IndexSuggestion
from tests.browser.visitor import violations
from tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCAN = {
    "kind": "Seq Scan",
    "on": "orders",
    "cost": 1980.2,
    "rows": 60000,
    "conditions": {"Filter": "(orders.customer_id = ?)"},
}
BEFORE = {"kind": "Limit", "cost": 2003.4, "rows": 20, "children": [
    {"kind": "Sort", "cost": 2003.0, "rows": 60, "conditions": {"Sort Key": "orders.placed DESC"}, "children": [SCAN]},
]}  # fmt: skip
AFTER = {"kind": "Limit", "cost": 12.4, "rows": 20, "children": [
    {"kind": "Index Scan", "index": "orders_customer_id_1f2e3d", "on": "orders", "cost": 12.4, "rows": 20,
     "conditions": {"Index Cond": "(orders.customer_id = ?)"}},
]}  # fmt: skip


@pytest.fixture
def suggestion(site: Any, _quiet: None) -> IndexSuggestion:
    ddl = "CREATE INDEX CONCURRENTLY orders_customer_id_1f2e3d ON public.orders (customer_id, placed DESC)"
    return IndexSuggestion.objects.create(
        alias="default", table="orders", definition="public.orders (customer_id, placed DESC)", sql=ddl,
        django='models.Index(fields=["customer", "-placed"], name="orders_customer_id_1f2e3d")', migration="...",
        confidence="verified", cost_before=200_340.0, cost_after=1_240.0, size=1_900_000, write_entries=12_000,
        blocks_hot=False, gains=[{"statement": "77", "calls": 100, "before": 2003.4, "after": 12.4}],
        plan_before=BEFORE, plan_after=AFTER, last_seen=timezone.now(),
    )  # fmt: skip


def shot(page: Page, name: str) -> None:
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_suggestion_can_be_read_and_decided(
    suggestion: IndexSuggestion, visit: Any, width: int, colours: str
) -> None:
    visitor = visit(viewport={"width": width, "height": 900}, color_scheme=colours)
    visitor.sign_in(UserFactory(is_staff=True, is_superuser=True))
    page = visitor.page
    page.goto(f"/admin/performance/indexsuggestion/{suggestion.pk}/change/")
    shot(page, f"suggestion-{width}-{colours}")

    # The theme's own bar stands outside of every landmark.
    assert [one for one in violations(page) if ".z-40" not in one] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_label("Reason")).to_be_editable()
    expect(page.get_by_role("button", name="Dismiss")).to_be_enabled()
