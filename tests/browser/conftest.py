"""A real Chromium before the whole site: web server, worker, PostgreSQL, two Valkeys.

One browser and one site for this package, not for the session: Playwright's event loop runs in the
thread that other tests need, and the site's worker would take other tests' jobs. Tests that start sites
of their own are marked `own_site` and run first, before there is a worker that would take their jobs.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from conversations import answering
from conversations.models import Reply, Status
from performance.queues import inspection, levers
from tests.browser.visitor import Visitor
from tests.factories import UserFactory
from tests.gate import Gate
from tests.site import Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def browser(django_db_setup: None) -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "Chromium is not installed: apt-get install chromium"
        if os.environ.get("CI") or os.environ.get("CHATSITE_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    # Playwright's loop runs in this thread, which Django takes for a coroutine that must not query.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    # Arabic, though it has no words of ours in it: it goes from right to left.
    with Site(folder, LOG_LEVEL="WARNING", SITE_LANGUAGES="en,de,ar") as site:
        yield site


@pytest.fixture
def _quiet(db: None, site: Site) -> Iterator[None]:
    """Nothing is being written when the tables are emptied: each would wait for the other."""
    for schedule in inspection.schedules():
        if schedule.task.startswith("performance."):
            levers.pause_schedule(schedule.task)
    yield
    for reply in Reply.objects.live():
        answering.stop(reply)
    deadline = time.monotonic() + 10
    while Reply.objects.filter(status=Status.RUNNING).exists() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture
def visit(browser: Browser, site: Site, _quiet: None) -> Iterator[Any]:
    """Opens windows of people who share nothing; each fails the test for what its console complains of."""
    visitors: list[Visitor] = []

    def open_window(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, site.url, **options))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture
def visitor(visit: Any) -> Visitor:
    """Somebody without an account."""
    return visit()


@pytest.fixture
def person(site: Site, _quiet: None) -> Any:
    """A user whose password is PASSWORD."""
    return UserFactory.create(username="person")


@pytest.fixture
def user(visit: Any, person: Any) -> Visitor:
    """A signed-in person."""
    visitor = visit()
    visitor.sign_in(person)
    return visitor


@pytest.fixture
def page(user: Visitor) -> Page:
    return user.page
