"""The chat with each service switched off, and with each server dead: right answers, and what is missing is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from conversations.models import Conversation, Message, Reply, Role, Status
from tests.browser.visitor import Visitor
from tests.factories import UserFactory
from tests.servers import ThrowAwayValkey
from tests.site import Site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,  # each has a site of its own, which reads its switches when it starts
]
OFF = ["CACHE", "QUEUES", "METRICS", "QUERIES", "ALERTS"]


@pytest.fixture
def on(
    browser: Browser, tmp_path: Path, transactional_db: None
) -> Iterator[Callable[..., tuple[Visitor, Any]]]:
    """Starts a site with this environment; answers a signed-in visitor and the user."""
    # A stack: what a visitor complains of must not leave a worker behind for the tests that follow.
    with ExitStack() as stack:

        def start(**environment: str) -> tuple[Visitor, Any]:
            site = stack.enter_context(Site(tmp_path, **{"LOG_LEVEL": "ERROR", **environment}))
            user = UserFactory()
            visitor = Visitor(browser.new_context(base_url=site.url))
            stack.callback(visitor.close)
            visitor.sign_in(user)
            return visitor, user

        yield start


def journey(visitor: Visitor, words: str) -> None:
    """Asks, reads the answer, reloads, and finds all of it again, in the list too."""
    page = visitor.page
    visitor.ask(f"say {words}")
    answer = page.locator(".message.assistant").last
    expect(answer).to_contain_text(words, timeout=20_000)
    expect(answer).to_have_attribute("data-status", "complete", timeout=20_000)
    page.reload()
    expect(page.locator(".message.assistant").last).to_contain_text(words)
    place = urlsplit(page.url).path
    page.goto("/")
    expect(page.locator(f'nav a[href="{place}"]')).to_have_count(1)


@pytest.mark.parametrize("service", OFF)
def test_the_chat_answers_with_a_service_off(on: Any, queue_redis: Any, service: str) -> None:
    visitor, _ = on(**{f"{service}_ENABLED": "off"})
    journey(visitor, f"without {service.lower()}")


def test_the_chat_answers_without_the_caches_server(
    on: Any, queue_redis: Any, valkey_server: Callable[..., ThrowAwayValkey]
) -> None:
    server = valkey_server()
    visitor, _ = on(CACHE_URL=server.url)
    journey(visitor, "before")
    server.kill()
    visitor.page.goto("/")
    journey(visitor, "without the cache's server")


def test_without_the_queues_server_a_message_waits_and_is_answered_later(
    on: Any, valkey_server: Callable[..., ThrowAwayValkey]
) -> None:
    server = valkey_server()
    visitor, user = on(QUEUE_URL=server.url)
    server.kill()
    visitor.ask("say I waited")
    page = visitor.page
    expect(page.locator(".message.user")).to_contain_text("say I waited")
    answer = page.locator(".message.assistant").last
    expect(answer).to_have_attribute("data-status", "pending")
    expect(answer.locator(".waiting")).to_be_visible()
    assert Message.objects.get(conversation__user=user, role=Role.USER).text == "say I waited"
    server.start()
    expect(answer).to_contain_text("I waited", timeout=40_000)


def test_without_the_models_server_the_answer_fails_with_a_reason_and_the_question_stays(
    on: Any, queue_redis: Any
) -> None:
    visitor, user = on(
        chat_backend="", LLM_BASE_URL="http://127.0.0.1:9/v1", LLM_MODEL="gone", LLM_API_KEY="k"
    )
    visitor.ask("Are you there?")
    answer = visitor.page.locator(".message.assistant").last
    expect(answer).to_have_attribute("data-status", "failed", timeout=40_000)
    expect(answer.get_by_role("button", name="Try again")).to_be_visible()
    assert Conversation.objects.get(user=user).messages.filter(text="Are you there?").exists()
    deadline = time.monotonic() + 5
    while Reply.objects.get().status != Status.FAILED and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Reply.objects.get().explanation
