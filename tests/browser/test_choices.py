"""What people choose, in the browser: instructions, models, temporary conversations; and the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, Route, expect

from conversations.models import Conversation, Reply, Status
from tests.browser.visitor import Visitor
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_instructions_reach_the_next_answer(user: Visitor, page: Page) -> None:
    page.goto("/settings/assistant/")
    page.get_by_label("Instructions").fill("Answer in rhyme.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.goto("/")
    user.ask("told")
    expect(page.locator(".assistant .prose")).to_contain_text("Answer in rhyme.")
    expect(page.get_by_role("link", name="With your instructions")).to_be_visible()
    page.get_by_role("link", name="Set up").click()
    page.get_by_label("Instructions").fill("Use metres.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="With instructions of its own")).to_be_visible()
    page.get_by_role("button", name="Ask anew").click()
    expect(page.locator("[data-version]")).to_have_text("2 of 2")
    expect(page.locator(".assistant .prose")).to_contain_text("Use metres.")


def test_another_model_answers_beside_the_first(user: Visitor, page: Page) -> None:
    user.ask("What is 6 * 7?")
    expect(page.locator(".author")).to_contain_text("Scripted")
    page.get_by_role("link", name="Ask another model").click()
    box = page.locator(".assistant .edit")
    expect(box.get_by_label("Model")).to_be_focused()
    box.get_by_label("Model").select_option(label="Guide")
    box.get_by_role("button", name="Ask").click()
    expect(page.locator(".author")).to_contain_text("Guide")
    expect(page.locator(".assistant .prose")).to_contain_text("42")
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".author")).to_contain_text("Scripted")


def test_a_temporary_conversation_is_in_no_list(user: Visitor, page: Page) -> None:
    page.get_by_text("Options of this conversation").click()
    page.get_by_label("Temporary:").check()
    page.get_by_label("Your question").fill("say Nobody knows.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".assistant .prose")).to_contain_text("Nobody knows.")
    expect(page.locator(".setup .badge")).to_have_text("Temporary")
    page.reload()
    expect(page.locator(".assistant .prose")).to_contain_text("Nobody knows.")
    assert Conversation.objects.get().temporary
    page.goto("/")
    expect(page.locator("#sidebar .rows")).to_have_count(0)


def test_the_place_in_the_queue_moves_by_itself(user: Visitor, page: Page, person: Any) -> None:
    now = timezone.now()
    before = [
        ReplyFactory(pending_since=now - timedelta(seconds=9 - one), enqueued_at=now)
        for one in range(2)
    ]
    own = ConversationFactory(user=person)
    MessageFactory(conversation=own, text="And mine?")
    ReplyFactory(message__conversation=own, pending_since=now, enqueued_at=now)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/messages/" in request.url:
            asked.append(request.url)

    page.on("request", note)
    page.goto(own.get_absolute_url())
    state = page.locator(".assistant .waiting, .assistant .writing").first
    expect(state).to_have_text("Place 3 in the queue")
    Reply.objects.filter(pk=before[0].pk).update(status=Status.COMPLETE)
    expect(state).to_have_text("Place 2 in the queue", timeout=8000)
    assert asked == []
    Reply.objects.update(status=Status.STOPPED)


def test_a_stop_is_acknowledged_before_the_server_has_heard_of_it(
    user: Visitor, page: Page
) -> None:
    """The request is held back: what the reader sees needs no round trip."""
    held: list[Route] = []
    page.route("**/stop/", lambda route: held.append(route))
    user.ask("repeat 400 0.05 word# ")
    expect(page.locator(".assistant")).to_contain_text("word2")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("[data-state]")).to_contain_text("Stopping")
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("[data-state]")).to_contain_text("You stopped this answer.")
    expect(page.locator(".assistant .prose")).to_contain_text("word2")


def test_several_answers_are_written_at_once(user: Visitor, page: Page) -> None:
    """In three windows of one person, each its own, all of them live at the same time."""
    pages = [page, user.open(), user.open()]
    for number, window in enumerate(pages):
        window.goto("/")
        window.get_by_label("Your question").fill(f"repeat 2000 0.05 w{number}-# ")  # until stopped
        window.get_by_role("button", name="Send").click()
    for number, window in enumerate(pages):
        expect(window.locator(".assistant")).to_contain_text(f"w{number}-3", timeout=20_000)
    assert Reply.objects.filter(status=Status.RUNNING).count() == 3
    for window in pages:
        window.get_by_role("button", name="Stop", exact=True).click()
        expect(window.locator("[data-state]")).to_contain_text("You stopped this answer.")
