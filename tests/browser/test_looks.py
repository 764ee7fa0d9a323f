"""Colours and times as chosen or as the device has them: contrast is computed, not looked at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from conversations.models import Message, Preferences
from tests.browser.test_pages import filled
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ["/", "/settings/", "/settings/appearance/", "/search/?words=hello", "/help/guide/"]
PALE = """axe.run({runOnly: ["color-contrast-enhanced"]}).then(({ violations }) =>
    violations.flatMap(({ nodes }) => nodes.map(({ target, any }) => `${target} ${any[0].message}`)))"""


def pale(page: Page) -> list[str]:
    """Text of less than 7:1, or 4.5:1 where it is large (WCAG 1.4.6)."""
    page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(PALE)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("asked_by", ["person", "device"])
def test_every_text_stands_out(visit: Any, person: Any, scheme: str, asked_by: str) -> None:
    if asked_by == "person":
        Preferences.objects.change(person, theme="contrast")
        visitor: Visitor = visit(color_scheme=scheme)
    else:
        visitor = visit(color_scheme=scheme, contrast="more")
    visitor.sign_in(person)
    page, found = visitor.page, []
    for address in [*PAGES, filled(person).get_absolute_url()]:
        page.goto(address)
        found += [f"{address} {line}" for line in pale(page)]
    assert found == []


def test_the_first_picture_has_the_chosen_colours_without_scripts(visit: Any, person: Any) -> None:
    """Dark paper on a device that is light, before any script: the server wrote the choice."""
    Preferences.objects.change(person, theme="dark")
    visitor: Visitor = visit(color_scheme="light", java_script_enabled=False)
    visitor.sign_in(person)
    page = visitor.page
    for address in ("/", "/settings/", "/help/"):
        page.goto(address)
        expect(page.locator("body")).to_have_css("background-color", "rgb(18, 22, 21)")
        assert page.locator("meta[name=color-scheme]").get_attribute("content") == "dark"


def test_colours_are_chosen_without_scripts(visit: Any) -> None:
    page = visit(java_script_enabled=False).page
    page.goto("/settings/appearance/")
    page.get_by_label("High contrast").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Your colours are saved.")
    expect(page.locator("html")).to_have_attribute("data-theme", "contrast")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("data-theme", "contrast")


def test_a_device_with_its_own_colours_keeps_them(visit: Any, person: Any) -> None:
    visitor: Visitor = visit(forced_colors="active")
    visitor.sign_in(person)
    page = visitor.page
    page.goto(filled(person).get_absolute_url())
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    expect(page.locator(".bubble").first).to_have_css("border-top-style", "solid")
    expect(page.locator(".button.halt")).to_have_css("border-top-style", "solid")


def test_nothing_moves_where_the_device_asks_for_that(visit: Any, person: Any) -> None:
    visitor: Visitor = visit(reduced_motion="reduce")
    visitor.sign_in(person)
    visitor.ask("pause 5")
    visitor.page.locator(".writing, .waiting").first.wait_for()
    moving = "document.getAnimations().filter(one => one.playState === 'running').length"
    assert visitor.page.evaluate(moving) == 0


def test_a_devices_zone_is_kept_at_its_first_visit_and_a_choice_goes_before_it(
    visit: Any, person: Any
) -> None:
    noon = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
    address = filled(person).get_absolute_url()
    Message.objects.update(created_at=noon)
    visitor: Visitor = visit(timezone_id="Asia/Tokyo")
    page = visitor.page
    with page.expect_response(lambda response: response.url.endswith("/settings/time/")):
        visitor.sign_in(person)
    assert Preferences.objects.get(user=person).time_zone == "Asia/Tokyo"
    page.goto(address)
    shown = page.locator(".meta time").first
    expect(shown).to_contain_text("9:00 PM")
    assert str(shown.get_attribute("datetime")).endswith("T21:00:00+09:00")
    page.goto("/settings/time/")
    expect(page.get_by_text("This device is in")).to_be_hidden()
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This device is in Asia/Tokyo")).to_be_visible()
    page.goto(address)
    expect(page.locator(".meta time").first).to_contain_text("7:00 AM")
    page.goto("/settings/time/")
    page.get_by_role("button", name="Choose that").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
