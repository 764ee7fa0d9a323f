"""The live board: it follows by itself, leads from a spike to its cause, and works for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone
from playwright.sync_api import Page, expect

from performance import metrics
from performance.models import Alert, AlertRule
from tests.browser.visitor import SECONDS, Visitor, violations
from tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = "<img src=x onerror=alert(1)>"  # whatever runs it, complains in the console
BOARD = "/admin/performance/dashboard/"
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
]


@pytest.fixture
def _traffic(queue_redis: redis.Redis) -> Iterator[None]:
    """A minute or so of measurements, as another web process would send them."""
    metrics.forget()
    for number in range(60):
        labels = {"view": f"app:page{number % 3}", "method": "GET"}
        metrics.observe("request_seconds", 0.02 * (1 + number % 5), **labels, status="2xx")
        metrics.observe("request_database_seconds", 0.01, view=labels["view"])
    metrics.observe("request_seconds", 2.0, view="app:page0", method="GET", status="5xx")
    metrics.count("cache_hits", 9, alias="shelf", tier="1")  # which the site itself does not use
    metrics.count("cache_misses", 1, alias="shelf")
    metrics.count("cache_hits", alias=HOSTILE, tier="1")
    metrics.gauge("queue_length", 3, level="low")
    metrics.gauge("service_up", 1, service="database")
    metrics.flush()
    yield
    metrics.forget()


@pytest.fixture
def boss(site: Any, _quiet: None) -> Any:
    return UserFactory.create(username="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def watcher(visit: Any, boss: Any, _traffic: None) -> Visitor:
    """A member of staff before the board."""
    visitor: Visitor = visit()
    visitor.sign_in(boss, at=BOARD)
    return visitor


@pytest.fixture
def clocked(visit: Any, boss: Any, _traffic: None) -> Visitor:
    """The same, whose clock `later` puts forward."""
    visitor: Visitor = visit()
    visitor.page.clock.install()
    visitor.sign_in(boss, at=BOARD)
    return visitor


def later(page: Page, seconds: int) -> None:
    """What the page wants to do by then, it does now."""
    page.clock.fast_forward(seconds * SECONDS)


def legend(page: Page, chart: str) -> Any:
    return page.locator(f"[data-chart={chart}] .legend")


COLOURS = """
() => {
  const canvas = document.querySelector("[data-chart=latency] canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] && Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 90) found += 1;
  return found;
}
"""
"""Counts a chart's strongly coloured pixels: lines and dots are, axes and grid are not."""


def test_a_value_that_stands_alone_is_seen(watcher: Visitor) -> None:
    expect(legend(watcher.page, "latency")).to_contain_text("p50")
    assert watcher.page.evaluate(COLOURS) > 20


CLOCKS = """
async () => {
  const { moment } = await import(new URL("format.js", document.querySelector("script[src*=board]").src));
  const offsets = [[3600, 3600], [7200, 7200]];
  return [0, 3600, 7199, 7200].map((at) => moment(at, { offsets, long: false }));
}
"""


def test_its_clocks_are_those_of_the_moment_they_show(watcher: Visitor) -> None:
    assert watcher.page.evaluate(CLOCKS) == ["01:00", "02:00", "02:59:59", "04:00"]


def test_it_follows_without_a_reload(clocked: Visitor) -> None:
    page = clocked.page
    expect(page.locator("[data-part=views]")).to_contain_text("app:page1")
    expect(page.locator("#age")).to_contain_text(re.compile(r"updated \d+ s ago"))
    expect(legend(page, "waiting")).to_contain_text("low")
    expect(legend(page, "hit_rate")).to_contain_text(HOSTILE)
    expect(page.locator("main img")).to_have_count(0)
    metrics.gauge("queue_length", 4242, level="low")
    metrics.flush()
    later(page, 3)
    expect(page.locator("[data-part=tiles]")).to_contain_text("4,242")
    expect(legend(page, "waiting")).to_contain_text("4,242")


def test_a_spike_leads_to_its_minute_by_mouse_and_by_keyboard(watcher: Visitor) -> None:
    page = watcher.page
    plot = page.get_by_role("img", name="Request latency")
    plot.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-chart=latency] output")).to_contain_text("p99 ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/minute/"))
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    expect(page.get_by_role("region", name="Views, table")).to_contain_text("app:page0")
    page.go_back()
    box = page.get_by_role("img", name="Request latency").locator(".u-over").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 20)
    expect(page).to_have_url(re.compile("/minute/"))


def test_the_table_behind_a_chart_follows_too(watcher: Visitor) -> None:
    page = watcher.page
    chart = page.locator("[data-chart=hit_rate]")
    chart.get_by_text("Figures of").click()
    expect(chart.get_by_role("row").last).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(chart.get_by_role("cell", name="90 %").last).to_be_visible()


def test_it_says_when_nobody_answers_and_can_be_paused(clocked: Visitor) -> None:
    page = clocked.page
    page.route("**/dashboard/data/**", lambda route: route.abort())
    state = page.locator("#state")
    later(page, 3)
    expect(state).to_contain_text("does not answer")
    page.unroute("**/dashboard/data/**")
    later(page, 6)
    expect(state).to_be_hidden()
    page.get_by_role("button", name="Pause").click()
    expect(state).to_contain_text("Paused")
    page.get_by_role("button", name="Pause").click()
    expect(state).to_be_hidden()


def test_who_is_signed_out_is_told_so_and_not_asked_again(clocked: Visitor) -> None:
    page = clocked.page
    clocked.context.clear_cookies()
    later(page, 3)
    expect(page.locator("#state")).to_contain_text("You are signed out")
    expect(page.locator("[data-part=views]")).to_contain_text("app:page1")


def test_nobody_is_asked_while_nobody_looks(watcher: Visitor) -> None:
    page = watcher.open()
    page.clock.install()
    page.goto(BOARD)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(60_000)
    assert [url for url in asked if "/data/" in url] == []
    with page.expect_request(re.compile("/data/")):
        page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.usefixtures("_traffic")
def test_without_scripts_the_figures_are_there(visit: Any, boss: Any) -> None:
    visitor: Visitor = visit(java_script_enabled=False)
    visitor.sign_in(boss, at=BOARD)
    page = visitor.page
    for text in ("app:page1", "Cache hits", "database", "No alert fires"):
        assert text in page.content()
    assert page.locator("[data-chart=requests] tbody tr").count() > 40


def test_an_alert_is_acknowledged_from_the_board(watcher: Visitor, boss: Any) -> None:
    now = timezone.now()
    rule = AlertRule.objects.create(
        name="slow-pages", title="Pages are slow", metric="x", threshold=1, enabled=False
    )
    alert = Alert.objects.create(
        rule=rule, state="firing", severity="critical", value=2, peak=3, fired_at=now, seen_at=now,
        began_at=now - timedelta(minutes=20),
    )  # fmt: skip
    page = watcher.page
    expect(page.locator(".headline")).to_contain_text("1 alert fires, 1 not acknowledged.")
    page.get_by_role("link", name="Acknowledge Pages are slow").click()
    page.get_by_role("button", name=re.compile("^Acknowledge")).first.click()
    expect(page.get_by_text("cknowledged").first).to_be_visible()
    page.goto(BOARD)
    expect(page.locator(".headline")).to_contain_text("all acknowledged")
    expect(page.locator(".headline")).to_contain_text("by boss")
    alert.refresh_from_db()
    assert alert.acknowledged_by == boss


FEW_ROWS = """
() => document.querySelectorAll("tbody").forEach((body) => [...body.rows].slice(5, -1).forEach((row) => row.remove()))
"""
"""Of some 800 rows of figures, all made by one template, it takes axe seconds to look at each."""


@pytest.mark.usefixtures("_traffic")
@pytest.mark.parametrize("look", LOOKS, ids=["wide and light", "narrow and dark"])
def test_everybody_can_use_it(visit: Any, boss: Any, look: dict[str, Any]) -> None:
    visitor: Visitor = visit(**look)
    visitor.sign_in(boss, at=BOARD)
    page = visitor.page
    for address in (
        BOARD,
        f"{BOARD}?range=7d",
        f"{BOARD}minute/?at={timezone.now():%Y-%m-%dT%H:%MZ}",
    ):
        page.goto(address)
        page.locator(".tiles").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address
        page.evaluate(FEW_ROWS)
        assert violations(page) == [], address
