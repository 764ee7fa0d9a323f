"""A file's way: chosen, sent, quoted, looked up; with scripts and without them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from conversations.ai import chat_backends
from conversations.models import Attachment, Preferences
from tests.browser.visitor import violations
from tests.conversations.attachments import files

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REPORT: FilePayload = {
    "name": "report.pdf",
    "mimeType": "application/pdf",
    "buffer": files.pdf([["Cover"], ["Sales", "We sold 4,711 wheels of gouda."]]),
}
BAD: FilePayload = {"name": "all.zip", "mimeType": "text/plain", "buffer": files.archive()}
QUESTION = "How many wheels of gouda were sold?"


@pytest.fixture
def person(person: Any) -> Any:
    """Has chosen the Guide, which reads files."""
    Preferences.objects.change(person, chat_model=f"guide/{chat_backends['guide'].model}")
    return person


def quoted(page: Page) -> None:
    """The answer quotes the file, and its citation leads to the line."""
    answer = page.locator(".message.assistant")
    expect(answer).to_contain_text("We sold 4,711 wheels of gouda.", timeout=60_000)
    page.get_by_role("link", name="[report.pdf, p. 2, l. 2]").click()
    expect(page.locator("li:target")).to_contain_text("We sold 4,711 wheels of gouda.")


def test_a_file_is_sent_and_quoted(page: Page) -> None:
    page.goto("/")
    page.locator("#upload").set_input_files([REPORT, BAD])
    expect(page.locator(".file-failed")).to_contain_text("This is an archive")
    expect(page.locator(".file-ready")).to_contain_text("report.pdf", timeout=60_000)
    assert violations(page) == []
    page.get_by_role("button", name="Remove").last.click()
    expect(page.locator("#files li")).to_have_count(1)

    page.reload()  # what was chosen stays
    expect(page.locator("#files li")).to_contain_text("report.pdf")
    page.get_by_role("textbox").fill(QUESTION)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.user .files")).to_contain_text("report.pdf")
    expect(page.locator("#files li")).to_have_count(0)
    quoted(page)
    assert violations(page) == []


def test_files_are_dropped_pasted_and_taken_back(page: Page, person: Any) -> None:
    page.goto("/")
    give = """(kind) => {
        const data = new DataTransfer()
        data.items.add(new File(["a line"], `${kind}.txt`, { type: "text/plain" }))
        const named = kind === "paste" ? { clipboardData: data } : { dataTransfer: data }
        const event = kind === "paste" ? new ClipboardEvent(kind, { ...named, bubbles: true, cancelable: true })
            : new DragEvent(kind, { ...named, bubbles: true, cancelable: true })
        document.getElementById("text").dispatchEvent(event)
    }"""
    for kind in ("drop", "paste"):
        page.evaluate(give, kind)
        expect(page.get_by_text(f"{kind}.txt")).to_be_visible()
    expect(page.locator(".file-ready")).to_have_count(2, timeout=60_000)
    page.get_by_role("button", name="Remove drop.txt").click()
    expect(page.locator("#files li")).to_have_count(1)
    page.wait_for_timeout(300)
    assert [one.name for one in Attachment.objects.filter(user=person)] == ["paste.txt"]

    page.get_by_role("button", name="Send").click()  # a file alone is a message
    expect(page.locator(".message.user .files")).to_contain_text("paste.txt")
    expect(page.locator(".message.assistant")).to_contain_text("a line", timeout=60_000)
    assert violations(page) == []


def test_without_scripts(visit: Any, person: Any) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.sign_in(person)
    page = visitor.page
    page.get_by_role("textbox").fill(QUESTION)
    page.locator("#upload").set_input_files([REPORT, BAD])
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("all.zip: This is an archive")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_value(QUESTION)
    expect(page.locator("#files li")).to_contain_text("report.pdf")
    page.get_by_role("button", name="Send").click()
    answer = page.locator(".message.assistant")
    for _ in range(60):
        page.reload()
        if "4,711" in answer.inner_text():
            break
        page.wait_for_timeout(500)
    quoted(page)
