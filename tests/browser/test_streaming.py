"""Answers that are written before the reader's eyes, and all that may come between."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from conversations.models import Reply, Role, Status
from tests.browser.visitor import Visitor, violations
from tests.factories import ConversationFactory
from tests.gate import SEEN, Gate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def lines(number: int) -> str:
    """Asks for an answer of that many lines, ten a second."""
    return f"repeat {number} 0.1 Line # of the answer.\\n\\n"


LINE = "Line # of the answer.\\n\\n"


def whole(number: int) -> str:
    """What such an answer says."""
    return "".join(f"Line {line} of the answer." for line in range(number))


def answer(page: Page) -> Locator:
    """The newest assistant's message."""
    return page.locator(".message.assistant").last


def live(page: Page, text: str) -> Locator:
    """An answer that is not complete and has come to `text`: one look, however slow the machine."""
    unfinished = ".message:is([data-status=pending], [data-status=running])"
    return page.locator(unfinished, has_text=text)


def text_of(page: Page) -> str:
    return "".join(answer(page).locator("[data-blocks] p").all_text_contents())


def test_an_answer_arrives_while_it_is_written(user: Visitor) -> None:
    page = user.page
    user.ask(lines(100))
    expect(live(page, "Line 2 of").locator(".tail")).to_be_visible()
    expect(answer(page).locator("[data-blocks] p").first).to_have_text("Line 0 of the answer.")
    expect(page.locator("#announcer p", has_text="Line 2 of")).to_have_count(1)


def test_stop_keeps_what_is_written(user: Visitor, person: Any) -> None:
    page = user.page
    user.ask(lines(100))
    expect(answer(page)).to_contain_text("Line 3 of")
    page.get_by_role("button", name="Stop the answer").click()
    expect(answer(page)).to_contain_text("You stopped this answer.")
    expect(answer(page)).to_contain_text("Line 3 of")
    message = person.conversations.get().messages.get(role=Role.ASSISTANT)
    assert message.reply.status == Status.STOPPED
    assert "Line 3 of" in message.text
    page.get_by_role("button", name="Continue").click()
    expect(answer(page)).to_contain_text("and so on")
    expect(answer(page)).to_contain_text("Line 3 of")
    expect(page.locator(".message")).to_have_count(2)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_a_reload_in_the_middle_misses_nothing(user: Visitor, gate: Gate) -> None:
    page = user.page
    user.ask(gate.held(5, 20, LINE))
    expect(answer(page)).to_contain_text("Line 3 of", timeout=SEEN)
    page.reload()
    expect(live(page, "Line 4 of")).to_be_visible(timeout=SEEN)
    gate.open()
    expect(answer(page)).to_have_attribute("data-status", "complete")
    assert text_of(page) == whole(20)
    expect(page.locator("#announcer")).to_contain_text("The answer is complete.")


def test_a_second_tab_sees_the_same(user: Visitor, gate: Gate) -> None:
    page, other = user.page, user.open()
    user.ask("say first")
    expect(answer(page)).to_contain_text("first")
    other.goto(page.url)
    user.ask(gate.held(4, 20, LINE))
    expect(live(other, "Line 2 of")).to_be_visible(timeout=SEEN)
    gate.open()
    expect(answer(other)).to_have_attribute("data-status", "complete")
    expect(other.locator(".message")).to_have_count(4)
    expect(page.locator(".message")).to_have_count(4)
    expect(answer(page)).to_have_attribute("data-status", "complete")
    assert text_of(other) == text_of(page) == whole(20)


def test_a_message_that_cannot_be_fetched_at_once_is_shown_later(user: Visitor) -> None:
    page, other = user.page, user.open()
    refused: list[str] = []

    def refuse(route: Any) -> None:
        refused.append(route.request.url)
        route.abort()

    user.ask("say first")
    other.goto(page.url)
    other.route("**/messages/?from=*", refuse)
    user.ask(lines(60))
    while len(refused) < 2:  # when it was announced, and at the next look
        other.wait_for_timeout(100)
    other.unroute_all()
    expect(other.locator(".message")).to_have_count(4)
    expect(answer(other)).to_have_attribute("data-status", "complete")
    assert text_of(other) == whole(60)


def test_a_failure_is_explained_and_tried_again(user: Visitor) -> None:
    page = user.page
    user.ask("fail unreachable")
    expect(answer(page).locator(".failed")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(answer(page).locator(".failed")).to_be_visible()
    expect(page.locator(".message")).to_have_count(2)


def test_a_tool_shows_what_it_was_asked(user: Visitor) -> None:
    page = user.page
    user.ask('tool nonsense {"a": 1}')
    expect(answer(page)).to_contain_text("The tool says")
    expect(answer(page)).to_have_attribute("data-status", "complete")
    answer(page).locator(".tool summary").click()
    expect(answer(page).locator(".tool dl")).to_contain_text('"a": 1')


def test_without_events_the_page_looks_for_itself(user: Visitor) -> None:
    page = user.page
    page.route("**/events/**", lambda route: route.fulfill(status=501))
    user.ask("say Brie\npause 1\nsay  and Gouda")
    expect(answer(page)).to_have_attribute("data-status", "complete", timeout=15_000)
    expect(answer(page)).to_contain_text("Brie and Gouda")


CROWDED = 'retry: 500\n\nevent: crowded\ndata: {"most":1}\n\n'


def test_a_page_that_makes_way_for_newer_ones_says_so_and_follows_again(
    user: Visitor, person: Any
) -> None:
    page, opened = user.page, []

    def crowded(route: Route) -> None:
        opened.append(route.request.url)
        route.fulfill(body=CROWDED, headers={"Content-Type": "text/event-stream"})

    page.route("**/events/**", crowded)
    page.goto(ConversationFactory.create(user=person).get_absolute_url())
    notice = page.locator("#apart")
    expect(notice).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("no longer follows")
    page.get_by_role("textbox").fill("say Brie\npause 1\nsay  and Gouda")
    assert not violations(page)

    page.get_by_role("button", name="Send").click()  # asks to follow again, in vain
    expect(answer(page)).to_contain_text("Brie and Gouda", timeout=15_000)
    expect(answer(page)).to_have_attribute("data-status", "complete")
    expect(notice).to_be_visible()
    assert len(opened) == 2  # one that came back by itself would push out the next page

    page.unroute_all()
    page.get_by_role("textbox").fill("half a thought")
    page.get_by_role("button", name="Follow again").click()
    expect(notice).to_be_hidden()
    expect(page.get_by_role("textbox")).to_be_focused()
    expect(page.get_by_role("textbox")).to_have_value("half a thought")
    other = user.open()
    other.goto(page.url)
    other.get_by_role("textbox").fill("say Edam")
    other.keyboard.press("Enter")
    expect(answer(page)).to_contain_text("Edam")


def test_a_lost_connection_loses_no_word_and_sends_none_twice(user: Visitor, person: Any) -> None:
    page = user.page
    conversation = ConversationFactory.create(user=person)
    page.goto(conversation.get_absolute_url())
    # The message arrives, its answer does not: what the page cannot tell from a lost message.
    page.route("**/messages/", lambda route: (route.fetch(), route.abort()))
    page.get_by_role("textbox").fill("say Brie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    expect(page.get_by_role("textbox")).to_have_value("say Brie")
    page.unroute_all()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_have_value("")
    expect(page.get_by_role("alert")).to_have_text("")
    expect(answer(page)).to_have_attribute("data-status", "complete")
    expect(page.locator(".bubble")).to_have_count(1)
    assert conversation.messages.filter(role=Role.USER).count() == 1


def test_a_message_during_an_answer_waits_in_the_box(user: Visitor) -> None:
    page = user.page
    user.ask(lines(100))
    expect(answer(page)).to_contain_text("Line 1")
    page.get_by_role("textbox").fill("And then?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("still answering")
    expect(page.get_by_role("textbox")).to_have_value("And then?")


def test_who_reads_above_is_not_pulled_down(user: Visitor, gate: Gate) -> None:
    page = user.page
    page.set_viewport_size({"width": 800, "height": 400})
    user.ask(gate.held(13, 25, LINE))
    jump = page.get_by_role("button", name="Jump to the newest")
    expect(answer(page)).to_contain_text("Line 12", timeout=SEEN)
    expect(jump).to_be_hidden()
    page.mouse.move(400, 200)
    page.mouse.wheel(0, -2000)
    expect(jump).to_be_visible()
    gate.open()
    expect(answer(page)).to_contain_text("Line 20")
    assert page.evaluate("scrollY") < 50
    jump.click()
    expect(jump).to_be_hidden()
    expect(answer(page)).to_have_attribute("data-status", "complete")
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY") < 5


def test_an_answer_that_is_faster_than_its_message(user: Visitor, person: Any) -> None:
    page = user.page
    page.goto(ConversationFactory.create(user=person).get_absolute_url())

    def late(route: Any) -> None:
        response = route.fetch()
        deadline = time.monotonic() + 10
        while not Reply.objects.filter(status=Status.COMPLETE).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)  # the last frames are on their way
        route.fulfill(response=response)

    page.route("**/messages/", late)
    page.get_by_role("textbox").fill("say Brie")
    page.keyboard.press("Enter")
    expect(answer(page)).to_have_attribute("data-status", "complete")
    expect(answer(page)).to_contain_text("Brie")
    expect(page.locator(".message")).to_have_count(2)
