"""A whole walk by keys alone: list of keys, question, answer, versions, search, and turning them off."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import violations
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_walk_by_keys_alone(page: Page, person: Any) -> None:
    keys = page.keyboard
    page.goto("/help/")
    keys.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard")
    expect(sheet.get_by_role("heading", name="Keyboard")).to_be_focused()
    assert violations(page) == []
    keys.press("n")  # nothing happens behind it
    keys.press("Escape")
    expect(sheet).to_have_count(0)
    keys.press("n")
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    keys.type("about n?/ twice")
    keys.press("Enter")
    expect(page.locator(".message.assistant")).to_contain_text("You said: about n?/ twice")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    expect(page.get_by_role("button", name="Ask anew")).to_be_visible()
    keys.press("Escape")
    question = page.get_by_role("article", name="You")
    expect(page.get_by_role("article").last).to_be_focused()
    keys.press("k")
    expect(question).to_be_focused()
    keys.press("j")
    keys.press("r")
    expect(page.locator("[data-version]")).to_have_text("2 of 2")
    expect(page.get_by_role("button", name="Ask anew")).to_be_visible()
    keys.press("[")
    expect(page.locator("[data-version]")).to_have_text("1 of 2")
    keys.press("]")
    expect(page.locator("[data-version]")).to_have_text("2 of 2")
    for modifiers in ({"ctrlKey": True, "altKey": True}, {"altKey": True}):  # AltGr, Option
        for key, version in (("[", "1 of 2"), ("]", "2 of 2")):
            event = {"key": key, "bubbles": True, "cancelable": True, **modifiers}
            page.locator("body").dispatch_event("keydown", event)
            expect(page.locator("[data-version]")).to_have_text(version)
    keys.press("e")
    expect(page.locator(".edit textarea")).to_be_focused()
    keys.type("?")
    keys.press("Escape")
    expect(page.get_by_role("link", name="Edit")).to_be_focused()


def test_dialogs_and_search_by_keys(page: Page, person: Any) -> None:
    keys = page.keyboard
    conversation = ConversationFactory.create(user=person, title="Cheese")
    MessageFactory.create(conversation=conversation, text="Is Brie soft?")
    ReplyFactory.create(
        message__conversation=conversation,
        message__html="<p>It is.</p>",
        message__text="It is.",
        status="complete",
    )
    page.goto(conversation.get_absolute_url())
    keys.press("Escape")
    for key, name in (("f", "Find in this conversation"), ("t", "Rename or file the conversation")):
        keys.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        keys.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keys.press("y")
    expect(page.locator("#announcer")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "It is."
    keys.press("c")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    keys.press("Escape")
    keys.press("/")
    expect(page.get_by_role("searchbox", name="Search your messages")).to_be_focused()
    keys.type("brie")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/search/"))


def test_keys_can_be_turned_off(page: Page) -> None:
    keys = page.keyboard
    page.goto("/settings/keyboard/")
    page.get_by_label("Keys are on in this browser").press("Space")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("The keys are off.")).to_be_visible()
    for key in "n?/":
        keys.press(key)
    expect(page).to_have_url(re.compile("/settings/keyboard/"))
    expect(page.get_by_role("dialog")).to_have_count(0)
