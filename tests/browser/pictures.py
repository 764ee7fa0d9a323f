"""`python -m tests.browser.pictures`: makes docs/images/conversation.png anew, from a site and its Guide."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.benchmarks.servers import test_database

PLACE = Path(__file__).parents[2] / "docs/images/conversation.png"
EARLIER = ["How do I attach a file?", "What time is it in Tokyo?", "Convert 5 miles to km"]
QUESTION = "What is 17.5% of 240?"
SIZE = {"width": 1120, "height": 800}


def main() -> None:
    with test_database(), tempfile.TemporaryDirectory() as folder:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
        _take(Path(folder))


def _take(folder: Path) -> None:
    from django.db import connections
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM
    from tests.browser.visitor import Visitor
    from tests.factories import UserFactory
    from tests.site import Site

    with (
        Site(folder, LOG_LEVEL="WARNING", chat_backend="") as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        window = browser.new_context(base_url=site.url, viewport=SIZE, device_scale_factor=1.5)
        visitor = Visitor(window)
        visitor.sign_in(UserFactory.create(username="ada"))
        answer = visitor.page.locator(".message.assistant").last
        for question in (*EARLIER, QUESTION):
            visitor.page.goto("/")
            visitor.ask(question)
            expect(answer).to_have_attribute("data-status", "complete")
        answer.locator("summary").first.click()
        visitor.page.mouse.move(0, 0)
        visitor.page.keyboard.press("Control+Home")
        visitor.page.wait_for_timeout(800)
        visitor.page.screenshot(path=PLACE)
        browser.close()
        connections.close_all()  # those of Playwright's loop are not those of whoever drops the database


if __name__ == "__main__":
    main()
