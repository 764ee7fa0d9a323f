"""What a screen reader is told: landmarks, headings and names, and an answer block by block."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Everything that was put into the live region, in its order.
LISTEN = """() => {
  window.heard = []
  document.getElementById("announcer").replaceChildren()
  const hear = (changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => window.heard.push(node.textContent)))
  new MutationObserver(hear).observe(document.getElementById("announcer"), { childList: true })
}"""


def heard(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.heard")
    return found


def test_a_conversation_has_landmarks_headings_and_names(user: Visitor) -> None:
    user.ask("hello")
    page = user.page
    expect(page.get_by_role("button", name="Ask anew")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello")  # the title that it got
    expect(page.locator("body")).to_match_aria_snapshot(
        """
        - link "Skip to content"
        - navigation "Conversations":
          - link "chatsite, home"
          - link "New conversation"
          - search
          - list:
            - listitem:
              - link "Hello"
        - banner:
          - heading "Hello" [level=1]
          - link "Find"
        - main:
          - article "You":
            - heading "You" [level=2]
            - paragraph: hello
            - link "Edit"
          - article "Scripted":
            - heading "Scripted" [level=2]
            - paragraph: "You said: hello"
            - button "Copy"
            - button "Ask anew"
            - link "Ask another model"
            - group "Rate this answer"
          - textbox "Your message"
          - button "Send"
        """
    )


def test_finished_blocks_and_states_are_told_once_each(user: Visitor) -> None:
    user.ask("hello")
    page = user.page
    expect(page.get_by_role("button", name="Ask anew")).to_be_visible()
    page.evaluate(LISTEN)
    user.page.get_by_role("textbox", name="Your message").fill(
        "pause 0.3\nrepeat 4 0.15 Part # of words. More of it.\\n\\n\npause 0.5\nsay | a | b |\\n|---|---|\\n| 1 | 2 |"
    )
    page.keyboard.press("Enter")
    expect(page.locator("#announcer")).to_contain_text("The answer is complete.")
    told = heard(page)
    # "Thinking…" is told where the page came before the answer was begun.
    assert told[0] in {"Thinking…", "Part 0 of words. More of it."}
    parts = [line for line in told if line.startswith("Part")]
    assert parts == [f"Part {number} of words. More of it." for number in range(4)]
    assert any(line.split() == ["a", "b", "1", "2"] for line in told), told
    assert told[-1] == "The answer is complete."


def test_a_tool_and_a_permission_are_told(user: Visitor) -> None:
    user.ask("hello")
    page = user.page
    expect(page.get_by_role("button", name="Ask anew")).to_be_visible()
    page.evaluate(LISTEN)
    ask(page, 'pause 0.5\ntool calculator {"expression": "1+1"}')
    expect(page.locator("#announcer")).to_contain_text("The answer is complete.")
    assert "Using calculator…" in heard(page)
    ask(page, "tool rename_conversation " + json.dumps({"title": "Cheese"}))
    expect(page.locator("#announcer")).to_contain_text("Waiting for your permission.")


def ask(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your message").fill(text)
    page.keyboard.press("Enter")


def test_nothing_moves_for_those_who_want_no_motion(user: Visitor) -> None:
    page = user.page
    page.emulate_media(reduced_motion="reduce")
    user.ask("pause 3")
    moving = page.locator(".writing, .waiting").first
    moving.wait_for()
    name = "element => getComputedStyle(element, '::before').animationName"
    assert moving.evaluate(name) == "none"
