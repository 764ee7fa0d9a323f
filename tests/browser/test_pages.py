"""Accounts, the list, names and ends: by mouse, keyboard, phone, and without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from conversations.models import Branch, Conversation, Message, Permission, Role
from tests.browser.visitor import Visitor
from tests.factories import (
    PASSWORD,
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    ToolRunFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MARKDOWN = "<h3>Title</h3><p>Text with <code>code</code></p><pre><code class='language-python'>print(1)\n</code></pre><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table><blockquote><p>Quoted</p></blockquote>"


def filled(person: Any) -> Conversation:
    """A conversation with everything that one can hold."""
    conversation = ConversationFactory.create(user=person, title="Everything")
    for status in ("complete", "stopped", "failed", "asking", "pending"):
        MessageFactory.create(conversation=conversation, text="Hello")
        reply = ReplyFactory.create(
            message__conversation=conversation,
            message__html=MARKDOWN,
            message__text="x",
            status=status,
            attempt=1,
            author="Guide",
            explanation="The model is away.",
            stop_requested=status == "pending",
        )
        ToolRunFactory.create(reply=reply)
        if status == "asking":
            ToolRunFactory.create(reply=reply, permission=Permission.ASKED)
        if status == "complete":
            other = Branch.objects.forked(before=reply.message)
            other.append(Message(role=Role.ASSISTANT))
            reply.message.branch.show()
    return conversation


def test_sign_up_sign_out_sign_in(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill("new@example.org")
    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    page.get_by_text("newcomer").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("Username or e-mail address").fill("newcomer")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".error")).to_contain_text("not correct")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()


def test_rename_and_delete(page: Page, person: Any) -> None:
    conversation = ConversationFactory.create(user=person, title="Cheese")
    page.goto(conversation.get_absolute_url())
    page.get_by_role("link", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Soft cheese")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Soft cheese")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="Soft cheese")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/$"))
    expect(page.get_by_text("Soft cheese")).to_have_count(0)


def test_keyboard_only(page: Page, person: Any) -> None:
    keys = page.keyboard
    page.goto("/help/")
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto("/")
    keys.type("one")
    keys.press("Shift+Enter")
    keys.type("two")
    keys.press("Enter")
    expect(page.locator("#messages")).to_contain_text("You said: one")
    expect(page.get_by_role("textbox")).to_be_focused()
    press_until_focused(page, "Shift+Tab", "Rename or file")
    keys.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    keys.press("Escape")
    press_until_focused(page, "Tab", "Delete")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")
    press_until_focused(page, "Tab", "Delete", role="button")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/$"))
    assert not person.conversations.exists()


def press_until_focused(page: Page, key: str, name: str, role: Any = "link") -> None:
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(40):
        page.keyboard.press(key)
        if wanted.count() == 1 and wanted.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"{key} does not lead to {name}")


def test_on_a_phone_the_list_is_a_drawer(visit: Any, person: Any) -> None:
    ConversationFactory.create(user=person, title="Cheese")
    visitor = visit(**PHONE)
    visitor.sign_in(person)
    page = visitor.page
    link = page.get_by_role("link", name="Cheese")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Conversations").click()
    link.click()
    expect(page.get_by_role("heading", name="Cheese")).to_be_visible()
    expect(link).to_be_hidden()
    visitor.ask("say Brie")
    expect(page.locator(".message.assistant")).to_contain_text("Brie")


def test_show_more_and_show_earlier(page: Page, person: Any) -> None:
    ConversationFactory.create_batch(35, user=person)
    conversation = ConversationFactory.create(user=person)
    for number in range(60):
        MessageFactory.create(conversation=conversation, html=f"<p>message {number}.</p>")
    page.goto(conversation.get_absolute_url())
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#sidebar [data-conversation]")).to_have_count(36)
    expect(page.locator(".message")).to_have_count(50)
    page.get_by_role("link", name="Show earlier messages").click()
    expect(page.locator(".message")).to_have_count(60)
    expect(page.locator(".message").first).to_contain_text("message 0.")
    expect(page.get_by_text("message 10.")).to_be_in_viewport()


def test_a_choice_of_colours_stays(page: Page) -> None:
    page.locator(".account summary").click()
    with page.expect_response("**/settings/appearance/"):
        page.get_by_text("Dark", exact=True).click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator(".account summary").click()
    with page.expect_response("**/settings/appearance/"):
        page.get_by_text("System").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_without_scripts(visit: Any, person: Any) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.sign_in(person)
    page = visitor.page
    visitor.ask("say Gouda is *Dutch*.")
    for _ in range(50):
        if not page.get_by_role("link", name="Refresh").count():
            break
        page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Gouda is Dutch.", exact=True)).to_be_visible()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("Cheese")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Cheese")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Write a message first.")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


def test_an_expired_form_keeps_the_text(user: Visitor, person: Any) -> None:
    page = user.page
    conversation = ConversationFactory.create(user=person)
    page.goto(conversation.get_absolute_url())
    user.context.clear_cookies(name="csrftoken")
    page.get_by_role("textbox").fill("What is Brie?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This page has expired")
    page.reload()
    expect(page.get_by_role("textbox")).to_have_value("What is Brie?")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble")).to_have_text("What is Brie?")
    page.reload()
    expect(page.get_by_role("textbox")).to_have_value("")


def test_an_ended_session_keeps_the_text(user: Visitor, person: Any) -> None:
    page = user.page
    conversation = ConversationFactory.create(user=person)
    page.goto(conversation.get_absolute_url())
    user.context.clear_cookies(name="sessionid")
    page.get_by_role("textbox").fill("What is Brie?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("You have been signed out")
    expect(page.get_by_role("textbox")).to_have_value("What is Brie?")
    assert not conversation.messages.exists()


def test_an_expired_form_without_scripts_can_be_sent_again(visit: Any, person: Any) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.sign_in(person)
    page = visitor.page
    page.goto("/")
    visitor.context.clear_cookies(name="csrftoken")
    page.get_by_role("textbox").fill("say Brie")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="This form has expired")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_value("say Brie")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".bubble")).to_have_text("say Brie")


def test_what_is_kept_is_asked_about_and_forgotten_with_a_sign_out(
    user: Visitor, person: Any
) -> None:
    """A conversation comes back without being sent; after a sign-out Back shows nothing of it."""
    conversation = ConversationFactory.create(user=person, title="A secret cheese")
    MessageFactory.create(conversation=conversation, text="Brie")
    page = user.page
    page.goto(conversation.get_absolute_url())
    keys = {page.locator("#key").input_value()}
    with page.expect_response(f"**{conversation.get_absolute_url()}") as answer:
        page.goto(conversation.get_absolute_url())
    assert answer.value.request.all_headers()["if-none-match"]
    keys.add(page.locator("#key").input_value())
    assert len(keys) == 2, "a form that was kept gets a key of its own"
    expect(page.get_by_role("link", name="A secret cheese")).to_be_visible()
    page.get_by_text(person.username).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert "A secret cheese" not in page.content()


def test_a_page_that_comes_back_as_it_was_left_asks_who_is_signed_in(
    user: Visitor, person: Any
) -> None:
    ConversationFactory.create(user=person, title="A secret cheese")
    page = user.page
    page.goto("/")
    user.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    assert "A secret cheese" not in page.content()
