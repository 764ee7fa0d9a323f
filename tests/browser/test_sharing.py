"""From a conversation to a link that a stranger opens, without scripts as well; and the end of an account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Page, expect

from conversations.models import AccountDeletion, Role, Status
from tests.browser.visitor import violations
from tests.factories import (
    PASSWORD,
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def cheese(person: Any) -> str:
    conversation = ConversationFactory.create(user=person, title="Cheese")
    MessageFactory.create(conversation=conversation, text="Which one is soft?")
    reply = ReplyFactory.create(
        message__conversation=conversation,
        message__text="Camembert",
        message__html="<p>Camembert</p>",
        status=Status.COMPLETE,
        attempt=1,
    )
    ToolRunFactory.create(reply=reply, arguments='{"words": "soft"}')
    for number in range(60):
        MessageFactory.create(conversation=conversation, role=Role.USER, text=f"More {number}.")
    return str(conversation.get_absolute_url())


def share(page: Page) -> str:
    """Makes a link with tool calls; returns it."""
    page.get_by_role("link", name="Share", exact=True).click()
    expect(page.get_by_text("its 62 messages")).to_be_visible()
    expect(page.locator(".preview .tool")).to_have_count(0)
    page.get_by_label("Tool calls").check()
    page.get_by_role("button", name="Update the preview").click()
    expect(page.locator(".preview .tool")).to_have_count(1)
    assert violations(page) == []
    page.get_by_label("The link works for").select_option("30")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name="The link is made")).to_be_visible()
    assert violations(page) == []
    return page.get_by_label("Link").input_value()


def read(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("heading", name="Cheese")).to_be_visible()
    expect(page.get_by_text("Camembert")).to_be_visible()
    page.locator(".tool summary").click()
    expect(page.get_by_text('"words": "soft"')).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Later").first.click()
    expect(page.get_by_text("More 59.")).to_be_visible()
    expect(page.get_by_text("More 5.")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_conversation_is_shared_and_taken_back(visit: Any, person: Any, scripts: bool) -> None:
    owner = visit(java_script_enabled=scripts) if not scripts else visit()
    owner.sign_in(person)
    owner.page.goto(cheese(person))
    if not scripts:
        owner.page.get_by_role("link", name="Share", exact=True).click()
        owner.page.get_by_role("button", name="Make a link").click()
        link = owner.page.get_by_label("Link").input_value()
        stranger = visit(java_script_enabled=False).page
        stranger.goto(link)
        expect(stranger.get_by_text("Camembert")).to_be_visible()
        return
    link = share(owner.page)
    stranger = visit(color_scheme="dark", viewport={"width": 320, "height": 640}).page
    read(stranger, link)
    assert violations(stranger) == []
    owner.page.goto("/settings/shares/")
    expect(owner.page.get_by_text("opened 1 time")).to_be_visible()
    assert violations(owner.page) == []
    owner.page.get_by_role("button", name=re.compile("Revoke")).click()
    expect(owner.page.get_by_text("The link is revoked")).to_be_visible()
    assert stranger.context.request.get(link).status == 404


def test_an_account_ends(visit: Any, person: Any) -> None:
    cheese(person)
    person.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt")  # which the site knows
    person.save()
    visitor = visit()
    visitor.sign_in(person)
    page: Page = visitor.page
    page.goto("/settings/")
    page.get_by_role("link", name="Delete account").first.click()
    page.get_by_label("Type your user name").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    assert violations(page) == []
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name=re.compile("Your account is"))).to_be_visible()
    assert violations(page) == []
    page.goto("/settings/privacy/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert AccountDeletion.objects.get().user_number == person.pk
