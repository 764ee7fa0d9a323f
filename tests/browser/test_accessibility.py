"""axe-core on every page: both languages, light and dark, wide and as narrow as 320 px, from right to left."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse
from django.utils.translation import override
from playwright.sync_api import Page, Response, Route, expect

from conversations.models import (
    AccountDeletion,
    Attachment,
    Conversation,
    Import,
    Kind,
    Preferences,
    ReadingState,
    Role,
)
from conversations.views.account import token_of
from tests.browser.test_pages import filled
from tests.browser.visitor import Visitor, violations
from tests.conversations.views.test_shared import linked
from tests.factories import ConversationFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ACCOUNTS = [
    "login/",
    "signup/",
    "password/reset/",
    "password/reset/done/",
    "password/reset/key/1-set-password/",
    "password/reset/key/done/",
    "confirm-email/",
    "confirm-email/nonsense/",
    "inactive/",
]
OWN_ACCOUNT = ["email/", "password/change/", "logout/", "reauthenticate/"]
ERRORS: dict[str, dict[str, Any]] = {
    "400.html": {},
    "403.html": {},
    "404.html": {},
    "413.html": {},
    "500.html": {"request_id": "abc"},
    "503.html": {"text": "Kept"},
    "403_csrf.html": {"may_resend": True, "text": "Kept", "back": "/"},
    "signed_out.html": {"text": "Kept", "login_url": "/"},
    "sharing/busy.html": {},
    "sharing/gone.html": {},
    "sharing/off.html": {},
}
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}, "locale": "en-GB"},
    {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}, "locale": "de-DE"},
]
NAMES = ["English, wide and light", "German, narrow and dark"]


def check(page: Page, addresses: list[str]) -> None:
    found: list[str] = []
    for address in addresses:
        response = page.goto(address)
        assert response
        found += [f"{address} {line}" for line in problems(page, response)]
    assert found == []


def problems(page: Page, response: Response) -> list[str]:
    found = violations(page)
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found += [f"is {width} px too wide"] if width > 0 else []
    found += [] if response.ok else [f"has status {response.status}"]
    return found


def pages(person: Any) -> list[str]:
    """Every address of the chat that answers a signed-in user's GET with a page: new ones come by themselves."""
    client = Client()
    client.force_login(person)
    conversation = filled(person)
    linked(conversation)
    question, answer = (
        conversation.messages.filter(role=role)[0] for role in (Role.USER, Role.ASSISTANT)
    )
    attachment = attached(conversation)
    report = [{"number": 1, "title": "Cheese", "left": {"hidden": 1}}]
    imported = Import.objects.create(user=person, state="done", report=report)
    arguments = {
        "pk": conversation.pk,
        "slug": "guide",
        "secret": "A" * 43,
        "token": token_of(AccountDeletion(pk=1)),
        "branch": 1,
        "place": 1,
    }
    arguments |= {"run": 1, "file": attachment.pk}
    found: list[str] = []
    for pattern in get_resolver("conversations.urls").url_patterns:
        assert isinstance(pattern, URLPattern)
        for number in (question.pk, answer.pk, imported.pk):
            known = {**arguments, "number": number}
            wanted = {name: known[name] for name in pattern.pattern.converters}
            address = reverse(f"conversations:{pattern.name}", kwargs=wanted)
            if address not in found and is_page(client, address):
                found.append(address)
    return found


def attached(conversation: Conversation) -> Attachment:
    made: Attachment = Attachment.objects.create(
        user=conversation.user,
        conversation=conversation,
        name="Report.txt",
        kind=Kind.TEXT,
        media_type="text/plain",
        size=7,
        file="x",
        state=ReadingState.READY,
    )
    made.pages.create(number=1, text="One line\nand another, which is long " + "and longer " * 30)
    return made


def is_page(client: Client, address: str) -> bool:
    response = client.get(address)
    begins = not response.streaming and response.content.lstrip().startswith(b"<!DOCTYPE html>")
    return response.status_code == 200 and begins


@pytest.mark.parametrize("look", LOOKS, ids=NAMES)
def test_public_pages(visit: Any, look: dict[str, Any]) -> None:
    addresses = ["/", "/help/", "/settings/", "/settings/language/", "/settings/keyboard/"]
    visitor: Visitor = visit(**look)
    check(visitor.page, [*addresses, *(f"/accounts/{name}" for name in ACCOUNTS)])


@pytest.mark.parametrize("look", LOOKS, ids=NAMES)
def test_own_pages(visit: Any, person: Any, look: dict[str, Any]) -> None:
    visitor: Visitor = visit(**look)
    visitor.sign_in(person)
    addresses = pages(person)
    assert len(addresses) >= 22
    more = ["/search/?words=hello", "/?show=pinned", *(f"/accounts/{name}" for name in OWN_ACCOUNT)]
    check(visitor.page, [*addresses, *more])
    conversation = person.conversations.get(title="Everything")
    open_all(visitor.page, conversation.get_absolute_url())


def open_all(page: Page, address: str) -> None:
    """What is folded, an editor and a dialog."""
    page.goto(address)
    page.locator("[data-edit]").first.click()
    page.locator(".edit").wait_for()
    for details in page.locator("details:is(.speed, .tool)").all():
        details.locator("summary").click()
    assert violations(page) == []
    page.locator("[data-dialog=delete]").click()
    assert violations(page) == []


@pytest.mark.parametrize("look", LOOKS, ids=NAMES)
def test_error_pages(visit: Any, look: dict[str, Any]) -> None:
    """As the site's own handlers make them, without the accidents that they are for."""
    page: Page = visit(**look).page
    page.goto("/help/")
    found = []
    for template in ERRORS:
        body = error_page(template, look["locale"][:2])
        page.route("**/accident/", partial(answer, body))
        response = page.goto("/accident/")
        assert response
        found += [f"{template} {line}" for line in problems(page, response)]
        page.unroute("**/accident/")
    assert found == []


def error_page(template: str, language: str) -> str:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    request.preferences = Preferences()
    context = ERRORS[template] | {"conversation": ConversationFactory.build()}
    with override(language):
        return render(request, template, context).content.decode()


def answer(body: str, route: Route) -> None:
    route.fulfill(body=body, content_type="text/html; charset=utf-8")


def test_refusals(user: Visitor) -> None:
    page = user.page
    page.locator("#text").evaluate("box => (box.maxLength = 100000)")
    page.locator("#text").fill("x" * 40_000)
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("32000 are allowed").wait_for()
    assert violations(page) == []


def test_from_right_to_left(visit: Any, person: Any) -> None:
    wide: Visitor = visit(viewport={"width": 1280, "height": 800}, locale="ar")
    narrow: Visitor = visit(viewport={"width": 320, "height": 640}, locale="ar")
    address = filled(person).get_absolute_url()
    ConversationFactory.create(
        user=person, title="A long title from left to right that ends in dots"
    )
    for visitor in (wide, narrow):
        visitor.sign_in(person)
        check(visitor.page, [address, "/settings/", "/search/?words=hello", "/help/guide/"])
        expect(visitor.page.locator("html")).to_have_attribute("dir", "rtl")
    page = wide.page
    page.goto(address)
    sidebar, question = (
        page.locator("#sidebar").bounding_box(),
        page.locator(".bubble").first.bounding_box(),
    )
    assert sidebar
    assert question
    assert sidebar["x"] > 900
    assert question["x"] < 400
    assert page.locator("pre").first.evaluate("code => getComputedStyle(code).direction") == "ltr"
    narrow.page.goto(address)
    narrow.page.locator(".bar [popovertarget]").click()
    box = narrow.page.locator("#sidebar").bounding_box()
    assert box
    assert box["x"] + box["width"] == 320
