"""Long conversations: opened at the end or at a message, read both ways, looked through."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conversations.models import Branch, Conversation, Message, Role
from tests.browser.visitor import Visitor, violations
from tests.factories import ConversationFactory, MessageFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NUMBER = 130


@pytest.fixture
def conversation(person: Any) -> Conversation:
    made: Conversation = ConversationFactory.create(user=person)
    branch = made.shown_branch
    texts = (f"Line {number}." for number in range(1, NUMBER + 1))
    branch.append(
        *(
            MessageFactory.build(conversation=made, branch=branch, place=0, text=text)
            for text in texts
        )
    )
    return made


def lines(page: Page) -> list[str]:
    return page.locator(".bubble").all_inner_texts()


def expected(first: int, last: int) -> list[str]:
    return [f"Line {number}." for number in range(first, last + 1)]


def test_it_opens_at_its_very_end_though_heights_settle_late(user: Visitor, person: Any) -> None:
    code = "```python\nprint(1)\n```\n\nSo it is."
    made: Conversation = ConversationFactory.create(user=person)
    for _ in range(4):
        MessageFactory.create(conversation=made, role=Role.ASSISTANT, text=code * 2)
        made.refresh_from_db()
    page = user.page
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(made.get_absolute_url())
    expect(page.locator(".code-head")).to_have_count(8)
    for _ in range(50):
        below = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
        if below < 2:
            break
        page.wait_for_timeout(100)
    assert below < 2


def test_words_are_found_and_read_around(user: Visitor, conversation: Conversation) -> None:
    page = user.page
    page.goto(conversation.get_absolute_url())
    expect(page.locator(".bubble").last).to_be_in_viewport()
    assert lines(page) == expected(81, 130)

    page.get_by_role("link", name="Find").click()
    assert not violations(page)
    page.get_by_label("Words").fill("line 40")
    page.get_by_label("Words").press("Enter")
    expect(page.locator("mark")).to_have_text("Line 40")
    assert not violations(page)
    page.locator(".found a").click()

    expect(page.locator(".message:target .bubble")).to_have_text("Line 40.")
    expect(page.locator(".message:target")).to_be_in_viewport()
    assert lines(page) == expected(16, 65)
    page.get_by_role("link", name="Show earlier messages").click()
    expect(page.locator(".bubble").first).to_have_text("Line 1.")
    page.get_by_role("link", name="Show later messages").click()
    expect(page.locator(".bubble").last).to_have_text("Line 115.")
    page.get_by_role("link", name="Show later messages").click()
    expect(page.locator(".bubble").last).to_have_text("Line 130.")
    assert lines(page) == expected(1, 130)
    expect(page.get_by_role("link", name="Show")).to_have_count(1)  # "the newest", in the notice


def test_a_day_is_gone_to(user: Visitor, conversation: Conversation) -> None:
    page = user.page
    page.goto(conversation.get_absolute_url())
    page.get_by_role("link", name="Find").click()
    page.get_by_label("Or go to the day").fill("2020-01-01")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".message:target .bubble")).to_have_text("Line 1.")


def test_a_link_into_another_version_opens_it(user: Visitor, conversation: Conversation) -> None:
    page = user.page
    hidden = conversation.messages.get(place=128)
    Branch.objects.forked(before=hidden).append(Message(role=Role.USER, html="<p>Other.</p>"))

    page.goto(hidden.get_absolute_url())

    expect(page.locator(".message:target .bubble")).to_have_text("Line 128.")
    expect(page.locator(".notice:visible")).to_contain_text("a version that is not shown now")
    page.get_by_role("textbox").fill("say here")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.assistant")).to_contain_text("here")
    assert lines(page)[-2:] == ["Line 130.", "say here"]


def test_formulas_are_drawn(user: Visitor) -> None:
    page = user.page
    user.ask("say Let $x^2$ be.")
    drawn = page.locator(".message.assistant math msup")
    expect(drawn).to_be_visible()
    assert (drawn.bounding_box() or {})["height"] > 0
    assert not violations(page)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").last.click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()) === 'Let $x^2$ be.'")
