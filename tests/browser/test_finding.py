"""From a misspelt word to the place in the conversation; and lists of what was filed."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.factories import ConversationFactory, MessageFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def search_and_open(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Search your messages").fill("camenbert")
    page.keyboard.press("Enter")
    expect(page.get_by_text("These have words like it")).to_be_visible()
    expect(page.locator("mark")).to_have_text("Camembert")
    page.get_by_role("link", name="Cheese", exact=True).click()
    expect(page.locator(".message:target")).to_contain_text("Camembert")


def test_search(page: Page, person: Any) -> None:
    conversation = ConversationFactory.create(user=person, title="Cheese")
    MessageFactory.create(conversation=conversation, text="Camembert is soft.")
    for number in range(60):
        MessageFactory.create(conversation=conversation, text=f"More {number}")
    search_and_open(page)


def test_search_and_filing_without_scripts(visit: Any, person: Any) -> None:
    conversation = ConversationFactory.create(user=person, title="Cheese")
    MessageFactory.create(conversation=conversation, text="Camembert is soft.")
    visitor = visit(java_script_enabled=False)
    visitor.sign_in(person)
    page = visitor.page
    search_and_open(page)
    page.get_by_role("link", name="Rename or file").click()
    page.get_by_label("Tags").fill("Food")
    page.get_by_label("Archive").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("navigation").get_by_text("Conversations", exact=True).click()
    page.get_by_role("link", name="Archived", exact=True).click()
    expect(page.locator(".rows a")).to_have_text("Cheese")
    page.get_by_role("navigation").get_by_text("Archived", exact=True).first.click()
    page.get_by_role("link", name="#food").click()
    expect(page.get_by_text("Nothing is tagged #food")).to_be_visible()
