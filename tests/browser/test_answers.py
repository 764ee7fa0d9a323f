"""Versions of questions and answers, tools that ask first, and what an answer says of its speed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from conversations.models import Message, Reply, Role, Status
from tests.browser.visitor import Visitor, violations
from tests.gate import SEEN, Gate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def answer(page: Page) -> Locator:
    return page.locator(".message.assistant").last


def question(page: Page) -> Locator:
    return page.locator(".message.user").last


def ask(user: Visitor, text: str, said: str) -> None:
    user.ask(text)
    expect(answer(user.page)).to_contain_text(said)
    expect(answer(user.page)).to_have_attribute("data-status", "complete")


def edit(page: Page, message: Locator, text: str) -> None:
    message.get_by_role("link", name="Edit").click()
    expect(message.get_by_role("textbox")).to_be_focused()
    message.get_by_role("textbox").fill(text)
    message.get_by_role("button", name="Send").click()


def test_an_edited_question_is_another_version_in_every_tab(user: Visitor) -> None:
    page, other = user.page, user.open()
    ask(user, "say one", "one")
    ask(user, "say two", "two")
    other.goto(page.url)
    expect(other.locator(".message")).to_have_count(4)

    edit(page, page.locator(".message.user").first, "say three")

    for tab in (page, other):
        expect(answer(tab)).to_contain_text("three")
        expect(tab.locator(".message")).to_have_count(2)
        expect(question(tab).locator(".versions")).to_contain_text("2 of 2")

    question(page).get_by_role("button", name="Previous version").press("Enter")
    for tab in (page, other):
        expect(tab.locator(".message")).to_have_count(4)
        expect(tab.locator(".bubble").first).to_have_text("say one")
        expect(answer(tab)).to_contain_text("two")
    expect(page.locator(".versions").get_by_role("button", name="Next version")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Version 1 of 2")
    page.reload()
    expect(answer(page)).to_contain_text("two")
    assert not violations(page)


def test_two_versions_are_written_at_once(user: Visitor, gate: Gate) -> None:
    page = user.page
    user.ask(gate.held(4, 30, "Line #.\\n\\n"))
    expect(answer(page)).to_contain_text("Line 2.", timeout=SEEN)
    edit(page, question(page), gate.held(4, 20, "Other #.\\n\\n"))
    expect(answer(page)).to_contain_text("Other 2.", timeout=SEEN)
    assert Reply.objects.filter(status=Status.RUNNING).count() == 2

    question(page).get_by_role("button", name="Previous version").click()
    expect(answer(page)).to_contain_text("Line 3.", timeout=SEEN)
    gate.open()
    expect(answer(page)).to_contain_text("Line 29.")
    expect(answer(page)).to_have_attribute("data-status", "complete")
    assert lines(page) == [f"Line {number}." for number in range(30)]
    question(page).get_by_role("button", name="Next version").click()
    expect(answer(page)).to_contain_text("Other 19.")
    expect(answer(page)).to_have_attribute("data-status", "complete")
    assert lines(page) == [f"Other {number}." for number in range(20)]


def lines(page: Page) -> list[str]:
    return answer(page).locator("[data-blocks] p").all_text_contents()


def test_editing_can_be_left(user: Visitor) -> None:
    page = user.page
    ask(user, "say one", "one")
    question(page).get_by_role("link", name="Edit").click()
    expect(page.locator(".bubble")).to_be_hidden()
    question(page).get_by_role("textbox").press("Escape")
    expect(page.locator(".bubble")).to_be_visible()
    expect(question(page).get_by_role("link", name="Edit")).to_be_focused()

    edit(page, question(page), " ")
    expect(question(page).get_by_role("alert")).to_contain_text("Write a message first.")
    question(page).get_by_role("link", name="Cancel").click()
    expect(page.locator(".bubble")).to_be_visible()


def test_an_answer_asked_anew_is_another_version(user: Visitor) -> None:
    page = user.page
    ask(user, "say one", "one")
    page.get_by_role("button", name="Ask anew").click()
    expect(answer(page).locator(".versions")).to_contain_text("2 of 2")
    expect(answer(page)).to_have_attribute("data-status", "complete")
    expect(page.locator(".message")).to_have_count(2)
    ask(user, "say after the second", "after the second")

    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".message")).to_have_count(2)
    ask(user, "say after the first", "after the first")
    page.get_by_role("button", name="Next version").click()
    expect(answer(page)).to_contain_text("after the second")
    expect(page.locator(".message")).to_have_count(4)


def test_a_tool_that_acts_asks_first(user: Visitor, person: Any, site: Any) -> None:
    page = user.page
    user.ask('tool rename_conversation {"title": "Brie & co"}')
    expect(answer(page).locator(".permission")).to_contain_text("Brie & co")
    expect(answer(page)).to_have_attribute("data-status", "asking")
    assert not violations(page)
    page.reload()
    site.restart_worker()
    assert person.conversations.get().title != "Brie & co"

    other = user.open()
    other.goto(page.url)
    page.get_by_role("button", name="Allow").click()

    for tab in (page, other):
        expect(answer(tab)).to_contain_text("The tool says", timeout=20_000)  # a worker starts
        expect(answer(tab)).to_have_attribute("data-status", "complete")
        expect(tab.locator("#title")).to_have_text("Brie & co")
        expect(answer(tab).locator(".tool summary")).to_contain_text("allowed by you")


def test_a_refused_tool_does_nothing(user: Visitor, person: Any) -> None:
    page = user.page
    user.ask('tool rename_conversation {"title": "Brie"}')
    page.get_by_role("button", name="Refuse").click()
    expect(answer(page)).to_contain_text("You did not allow this.")
    expect(answer(page).locator(".tool summary")).to_contain_text("not allowed")
    assert person.conversations.get().title != "Brie"


def test_an_answer_says_what_took_its_time(user: Visitor) -> None:
    page = user.page
    ask(user, "say one", "one")
    page.locator(".speed summary").click()
    for stage in ("Queue", "Pick-up", "Provider", "First text", "Delivery", "From the cache"):
        expect(page.locator(".speed dl")).to_contain_text(stage)
    expect(page.locator(".speed dd").first).to_have_text(re.compile(r"\d+ ms"))


def test_a_conversation_gets_its_name_by_itself(user: Visitor) -> None:
    page = user.page
    user.ask("Hello, can you tell me how do I make a *raclette*?")
    expect(page.locator("#title")).to_have_text("Make a raclette")


def test_all_of_it_works_without_scripts(visit: Any, person: Any) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.sign_in(person)
    page = visitor.page
    page.get_by_role("textbox").fill('tool rename_conversation {"title": "Brie"}')
    page.get_by_role("button", name="Send").click()
    reload_until(page, page.get_by_role("button", name="Allow"))
    page.get_by_role("button", name="Allow").click()
    reload_until(page, page.get_by_role("button", name="Ask anew"))
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Your message").fill("say edited")
    page.get_by_role("button", name="Send").click()
    reload_until(page, page.get_by_role("button", name="Ask anew"))
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".bubble")).to_contain_text("rename_conversation")
    assert Message.objects.filter(role=Role.USER).count() == 2


def reload_until(page: Page, there: Locator) -> None:
    for _ in range(50):
        if there.count():
            return
        page.wait_for_timeout(100)
        page.reload()
    raise AssertionError("It never came.")
