"""A window of Chromium and what a person does in it."""

from __future__ import annotations

import json
import re
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

# What the browser itself writes about an answer that a test asked for.
EXPECTED = re.compile(
    r"Failed to load resource|htmx: htmx:error: Failed to fetch|htmx:response:error"
)
SECONDS = 1000
# What passes is looked at all the same, but no list is made of it.
AXE = "axe.run({ resultTypes: ['violations'] }).then((results) => results.violations)"


class Visitor:
    """`page` is the first window; `complaints` are lines of the consoles of all.

    `options` are those of the browser's context: a profile of its own, that of nobody else.
    """

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(base_url=url, **options)
        self.context.set_default_timeout(10 * SECONDS)
        self.complaints: list[str] = []
        self.allowed = EXPECTED
        self.page = self.open()

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not self.allowed.search(message.text):
            self.complaints.append(message.text)

    def sign_in(self, user: Any, *, at: str = "/") -> None:
        """By a session cookie, and opens a page; signing in by hand has its own test."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])
        self.page.goto(at)

    def ask(self, text: str) -> None:
        """Types a message and sends it; on the first page that begins a conversation."""
        self.page.get_by_role("textbox").fill(text)
        self.page.get_by_role("button", name="Send").click()
        expect(self.page).to_have_url(re.compile("/c/"))

    def close(self) -> None:
        self.context.close()
        if self.complaints:
            raise AssertionError("\n".join(self.complaints))


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong, one line each."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(AXE)
    return [
        f"{one['id']}: {one['help']}: {json.dumps([node['target'] for node in one['nodes']])}"
        for one in found
    ]
