"""Rating an answer by keyboard, what it took, and a quota that is used up."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from conversations.models import Quota, Rating
from tests.browser.test_answers import answer, ask
from tests.browser.visitor import Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_answer_is_rated_and_a_quota_says_when_it_begins_anew(user: Visitor) -> None:
    page = user.page
    ask(user, "say Brie", "Brie")

    good = answer(page).get_by_role("button", name="Good answer")
    good.focus()
    good.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(good).to_be_focused()
    answer(page).get_by_role("link", name="Say why").click()
    answer(page).get_by_label("In your words").fill("Just right.")
    answer(page).get_by_label("Send this question and answer").check()
    assert not violations(page)
    answer(page).get_by_role("button", name="Send rating").click()
    expect(answer(page).locator(".edit")).to_have_count(0)
    rating = Rating.objects.get()
    assert (rating.comment, rating.question, rating.answer) == ("Just right.", "say Brie", "Brie")
    good.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "false")
    assert not Rating.objects.exists()

    answer(page).locator(".speed summary").click()
    expect(answer(page).locator(".speed")).to_contain_text("Cost")

    Quota.objects.create(measure="messages", period="day", most=1)
    page.get_by_role("textbox").fill("say more")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#problems")).to_contain_text("1 message a day")
    expect(page.get_by_role("textbox")).to_have_value("say more")
    answer(page).get_by_role("button", name="Ask anew").click()
    expect(page.locator("#problems")).to_contain_text("It begins anew at")

    page.goto("/settings/usage/")
    expect(page.get_by_role("meter", name="1 message a day")).to_have_attribute("value", "100")
    assert not violations(page)
