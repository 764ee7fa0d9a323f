"""Alerts as the person on call sees them: on a phone, in the dark, and without a mouse."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from performance import metrics
from performance.alerts import Sample, evaluate
from performance.metrics.store import PREFIX
from performance.models import Alert, AlertEvent, AlertRule
from tests.browser.visitor import Visitor, violations
from tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}}
DESK = {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def alert(site: Any, _quiet: None) -> Alert:
    """Errors of the last hour, of which the shipped rule has made an alert."""
    with redis.Redis.from_url(settings.QUEUE_URL) as client:
        # What the site's other visitors did would count among the requests.
        client.delete("-", *client.scan_iter(f"{PREFIX}:slot:*"))
    now = timezone.now()
    for minute in range(175, -1, -5):
        with time_machine.travel(now - timedelta(minutes=minute), tick=False):
            bad = 8 if minute < 12 else 2 if 80 < minute < 90 else 0
            for number in range(30):
                status = "5xx" if number < bad else "2xx"
                metrics.observe("request_seconds", 0.1, view="home", method="GET", status=status)
            metrics.flush()
    rule = AlertRule.objects.get(name="error-rate")
    for second in (40, 5):
        evaluate(now=now - timedelta(seconds=second), samples=_samples())
    return Alert.objects.get(rule=rule)


def _samples() -> list[Sample]:
    levels = [Sample("service_up", 0.0, {"service": "cache"}), Sample("workers", 1.0)]
    return [*levels, Sample("disk_free_ratio", 0.04, {"path": "/var/lib/<b>postgresql</b>"})]


@pytest.fixture
def on_call(visit: Any, site: Any) -> Any:
    """Opens a window of somebody who is on call: on_call(**options of the browser)."""

    def open_window(**options: Any) -> Visitor:
        visitor = visit(**options)
        visitor.sign_in(UserFactory(is_staff=True, is_superuser=True))
        return visitor

    return open_window


def shot(page: Page, name: str) -> None:
    """A picture to look at, where SCREENSHOTS names a directory."""
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


def test_an_alert_is_acknowledged_on_a_phone(alert: Alert, on_call: Any) -> None:
    page = on_call(**PHONE).page
    page.goto("/admin/performance/alert/")
    shot(page, "list-phone-light")
    page.get_by_role("link", name=alert.rule.title).click()
    shot(page, "alert-phone-light")
    page.get_by_label("Note").fill("I am on it")
    page.get_by_role("button", name="Acknowledge").click()

    expect(page.get_by_text("Acknowledged.", exact=True)).to_be_visible()
    expect(page.get_by_text("I am on it")).to_be_visible()
    alert.refresh_from_db()
    assert alert.state == "acknowledged"
    assert AlertEvent.objects.filter(kind="acknowledged", note="I am on it").count() == 1


def test_many_alerts_are_acknowledged_with_the_keyboard(alert: Alert, on_call: Any) -> None:
    page = on_call(**DESK).page
    page.goto("/admin/performance/alert/")
    shot(page, "list-desk-light")
    page.get_by_role("checkbox", name="Select all").first.focus()
    page.keyboard.press("Space")
    page.get_by_label("Select action to run").select_option(label="Acknowledge, with a note")
    shot(page, "list-selected")
    page.get_by_role("button", name="Run").press("Enter")
    shot(page, "bulk-desk-light")
    note = page.get_by_label("Note")
    note.press_sequentially("known")
    note.press("Enter")

    expect(page.get_by_text(re.compile("Acknowledged"))).not_to_have_count(0)
    firing = Alert.objects.filter(state="firing").count()
    assert firing == 0


def test_pages_break_no_rule_of_accessibility(alert: Alert, on_call: Any) -> None:
    page = on_call(**DESK, color_scheme="dark").page
    rule = alert.rule_id
    found = {}
    for name, url in {
        "alert": f"/admin/performance/alert/{alert.pk}/change/",
        "runbook": "/admin/performance/alert/runbooks/error-rate/",
    }.items():
        page.goto(url)
        shot(page, f"{name}-desk-dark")
        found[name] = [v for v in violations(page) if "alert" in v or "runbook" in v or "svg" in v]
    page.goto(f"/admin/performance/alertrule/{rule}/change/")
    shot(page, "rule-desk-dark")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Preview").click()
    preview = popup.value
    expect(preview.get_by_text("would have fired").first).to_be_visible()
    shot(preview, "preview-desk-dark")
    found["preview"] = [v for v in violations(preview) if "alert" in v or "svg" in v]

    assert found == {"alert": [], "runbook": [], "preview": []}
