"""A window of Chromium and what a person does in it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

# What the browser itself writes about an answer that a test asked for.
EXPECTED = re.compile(
    r"Failed to load resource|htmx: htmx:error: Failed to fetch|htmx:response:error"
)
SECONDS = 1000


class Visitor:
    """`page` is the first window; `complaints` are lines of the consoles of all."""

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(10 * SECONDS)
        self.context = context
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

    def sign_in(self, user: Any) -> None:
        """By a session cookie; signing in by hand has its own test."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": self._base_url()}]
        )
        self.page.goto("/")

    def _base_url(self) -> str:
        self.page.goto("/help/")
        parts = urlsplit(self.page.url)
        return f"{parts.scheme}://{parts.netloc}"

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
    found = page.evaluate("axe.run().then((results) => results.violations)")
    return [
        f"{one['id']}: {one['help']}: {json.dumps([node['target'] for node in one['nodes']])}"
        for one in found
    ]
