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
from performance.switches import Switch
from tests.browser.visitor import Visitor, violations
from tests.factories import UserFactory
from tests.gate import SEEN, Gate
from tests.proxy import TcpProxy
from tests.servers import ThrowAwayValkey
from tests.site import Site, database_url, postgresql_socket

pytestmark = [
    pytest.mark.browser,
    pytest.mark.own_site,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,  # each has a site of its own, which reads its switches when it starts
]
# With some of them one of the caches is off as well, which the chat must do without too.
OFF = {
    "CACHE": [],
    "QUEUES": [],
    "METRICS": ["CACHE_TOOL_RESULTS", "CACHE_CONVERSATIONS"],
    "QUERIES": ["CACHE_AI_RESPONSES"],
}
WATCH = 0.1  # seconds until a process looks again what staff have switched
SWITCHES = "/admin/performance/switchchange/switches/"


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
            visitor = Visitor(browser, site.url)
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
    visitor, _ = on(**dict.fromkeys([f"{service}_ENABLED", *OFF[service]], "off"))
    journey(visitor, f"without {service.lower()}")


def test_all_others_of_the_browser_have_alerts_off(tmp_path: Path, transactional_db: None) -> None:
    assert Site(tmp_path).environment["ALERTS_ENABLED"] == "off"


def test_the_chat_answers_while_staff_turn_a_service_off_and_on_again(
    on: Any, queue_redis: Any, subtests: pytest.Subtests
) -> None:
    """The same words each time, which the cache of answers knows by then: it is not asked while it is off."""
    quick = {"DJANGO_SETTINGS_MODULE": "tests.site_settings", "TEST_WATCH_SECONDS": str(WATCH)}
    visitor, user = on(**quick, ALERTS_ENABLED="on")
    user.is_staff = user.is_superuser = True
    user.save()
    journey(visitor, "the same")
    for switch in Switch:
        with subtests.test(switch.value):
            turn(visitor, switch, "off")
            time.sleep(5 * WATCH)  # by then the worker follows
            kept = "etag" in visitor.page.goto("/").headers
            journey(visitor, "the same")
            assert kept == (switch not in {Switch.CACHE, Switch.CONVERSATIONS})
            answered_before = Reply.objects.latest("pk").cached_at is not None
            assert answered_before == (switch not in {Switch.CACHE, Switch.AI_RESPONSES})
            turn(visitor, switch, "on")
    assert "etag" in visitor.page.goto("/").headers
    journey(visitor, "the same")
    assert Reply.objects.latest("pk").cached_at is not None


def turn(visitor: Visitor, switch: Switch, state: str) -> None:
    """As a member of staff, who gives a reason."""
    page = visitor.page
    if not page.url.endswith(SWITCHES):
        page.goto(SWITCHES)
    form = page.locator("form").filter(has=page.locator(f'input[value="{switch.value}"]'))
    form.get_by_role("textbox").fill("to see what happens")
    form.get_by_role("button", name=f"Turn {state}").click()
    heading = page.get_by_role("heading", name=f"{switch.label}: {state}", exact=True)
    expect(heading).to_be_visible()


@pytest.fixture
def database(transactional_db: None) -> Iterator[TcpProxy]:
    """Stands before PostgreSQL, and dies in its place."""
    with TcpProxy(postgresql_socket()) as proxy:
        yield proxy


def test_the_chat_without_each_of_its_servers_and_with_it_again(
    # The site comes last and so ends first: it takes its time where its servers are dead.
    database: TcpProxy,
    valkey_server: Callable[..., ThrowAwayValkey],
    on: Any,
    gate: Gate,
    subtests: pytest.Subtests,
) -> None:
    # One site for all: starting one takes longer than what is done with it.
    cache, queue = valkey_server(), valkey_server()
    urls = {"CACHE_URL": cache.url, "QUEUE_URL": queue.url}
    visitor, user = on(DATABASE_URL=database_url(database.port), **urls)
    with subtests.test("cache"):
        without_the_cache(visitor, cache)
    with subtests.test("database"):
        without_the_database(visitor, database, gate)
    with subtests.test("queue"):
        without_the_queue(visitor, user, queue)


def without_the_cache(visitor: Visitor, server: ThrowAwayValkey) -> None:
    """Everything is there; it takes longer."""
    journey(visitor, "before")
    server.kill()
    visitor.page.goto("/")
    journey(visitor, "without the cache's server")
    server.start()
    visitor.page.goto("/")


def without_the_database(visitor: Visitor, server: TcpProxy, gate: Gate) -> None:
    """What is being written is seen to its end; the rest says so, keeps the text, and goes on by itself."""
    page, other, writer = visitor.page, visitor.open(), visitor.open()
    page.goto("/")
    writer.goto("/")
    visitor.ask(gate.held(4, 8, "word#.") + "\nsay The end.")
    answer = page.locator(".message.assistant").last
    expect(answer).to_contain_text("word3.", timeout=SEEN)
    server.close()
    other.goto("/accounts/email/")
    expect(other.get_by_role("heading", name="Not available just now")).to_be_visible()
    writer.get_by_role("textbox").fill("say still here")
    writer.evaluate("document.querySelector('#composer').submit()")  # as without scripts
    expect(writer.get_by_role("heading", name="Not available just now")).to_be_visible()
    expect(writer.get_by_label("Your text")).to_have_value("say still here")
    assert violations(writer) == []
    gate.open()
    expect(answer).to_contain_text("The end.", timeout=20_000)
    server.open()
    expect(other.get_by_role("heading", name="E-mail addresses")).to_be_visible(timeout=20_000)
    writer.get_by_role("button", name="Send again").click()
    expect(writer.locator(".message.assistant")).to_contain_text("still here", timeout=20_000)
    expect(answer).to_have_attribute("data-status", "complete", timeout=20_000)
    other.close()
    writer.close()


def without_the_queue(visitor: Visitor, user: Any, server: ThrowAwayValkey) -> None:
    """A message waits and is answered later."""
    visitor.page.goto("/")
    server.kill()
    visitor.ask("say I waited")
    page = visitor.page
    expect(page.locator(".message.user")).to_contain_text("say I waited")
    answer = page.locator(".message.assistant").last
    expect(answer).to_have_attribute("data-status", "pending")
    expect(answer.locator(".waiting")).to_be_visible()
    asked = Message.objects.filter(conversation__user=user, role=Role.USER)
    assert asked.filter(text="say I waited").exists()
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
