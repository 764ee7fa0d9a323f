"""axe-core on every page, in both colours, wide and as narrow as 320 px."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from conversations.models import Message, Role
from tests.browser.test_pages import filled
from tests.browser.visitor import Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PUBLIC = [
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-set-password/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/nonsense/",
    "/accounts/inactive/",
    "/help/",
    "/help/guide/",
]
OWN = [
    "/",
    "/search/",
    "/search/?words=hello",
    "/?show=pinned",
    "/transfer/",
    "/settings/",
    "/settings/assistant/",
    "/settings/history/",
    "/settings/appearance/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
]
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
]


def check(page: Page, addresses: list[str]) -> None:
    found = []
    for address in addresses:
        response = page.goto(address)
        assert response
        assert response.ok, address
        found += [f"{address} {line}" for line in violations(page)]
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{address} is {width} px too wide"] if width > 0 else []
    assert found == []


@pytest.mark.parametrize("look", LOOKS, ids=["wide and light", "narrow and dark"])
def test_public_pages(visit: Any, look: dict[str, Any]) -> None:
    visitor: Visitor = visit(**look)
    check(visitor.page, PUBLIC)


@pytest.mark.parametrize("look", LOOKS, ids=["wide and light", "narrow and dark"])
def test_own_pages(visit: Any, person: Any, look: dict[str, Any]) -> None:
    visitor: Visitor = visit(**look)
    visitor.sign_in(person)
    address = filled(person).get_absolute_url()
    parts = ["", "rename/", "delete/", "setup/", "look/", "look/?words=a"]
    question = Message.objects.filter(role=Role.USER).first()
    assert question
    check(
        visitor.page,
        [*OWN, *(address + part for part in parts), f"{address}messages/{question.pk}/edit/"],
    )
    page = visitor.page
    page.goto(address)
    page.get_by_role("link", name="Edit").first.click()
    page.locator(".edit").wait_for()
    for details in page.locator(".speed").all():
        details.locator("summary").click()
    for details in page.locator("details.tool").all():
        details.locator("summary").click()
    assert violations(page) == []
    page.locator("[data-dialog=delete]").click()
    assert violations(page) == []


def test_refusals(user: Visitor) -> None:
    page = user.page
    page.locator("#text").evaluate("box => (box.maxLength = 100000)")
    page.locator("#text").fill("x" * 40_000)
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("32000 are allowed").wait_for()
    assert violations(page) == []
