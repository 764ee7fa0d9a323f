from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation, DailyUsage, Entry, Message, Quota, Reply, Status
from tests.factories import MessageFactory, ReplyFactory

pytestmark = pytest.mark.usefixtures("queue_redis", "cache_redis")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def used_up(alice: Any) -> None:
    Quota.objects.create(measure="messages", period="hour", most=0)


@pytest.mark.usefixtures("used_up")
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("where", ["new", "next", "edit"])
def test_a_refusal_says_which_when_and_keeps_the_text(
    client: Client, conversation: Conversation, where: str, headers: dict[str, str]
) -> None:
    message = MessageFactory.create(conversation=conversation)
    address = {
        "new": "/",
        "next": f"/c/{conversation.pk}/messages/",
        "edit": f"/c/{conversation.pk}/messages/{message.pk}/edit/",
    }[where]
    form = {"text": "My long question", "key": uuid.uuid4()}
    response = client.post(address, form, headers=headers)
    text = response.content.decode()
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 3600
    assert "0 messages an hour" in text
    assert "It begins anew at" in text
    if not headers:
        assert "My long question</textarea>" in text
    elif where != "edit":
        assert response["HX-Retarget"] == "#problems"
    assert Message.objects.count() == 1


@pytest.mark.usefixtures("used_up")
@pytest.mark.parametrize("what", ["retry", "continue"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_so_do_the_buttons(
    client: Client, conversation: Conversation, what: str, headers: dict[str, str]
) -> None:
    reply = ReplyFactory.create(
        message__conversation=conversation, message__text="Half", status=Status.FAILED
    )
    address = f"/c/{conversation.pk}/messages/{reply.message_id}/{what}/"
    response = client.post(address, headers=headers)
    assert response.status_code == 429
    assert "Retry-After" in response
    assert "0 messages an hour" in response.content.decode()
    assert Reply.objects.get().status == Status.FAILED


def test_usage_shows_bars_days_and_savings(
    client: Client, alice: Any, django_assert_num_queries: Any
) -> None:
    Quota.objects.create(measure="messages", period="month", most=4)
    Quota.objects.create(measure="cost", period="day", most="0.5")
    made = Entry(messages=1, input_tokens=1200, estimated=1, cost="0.25")  # type: ignore[arg-type]
    DailyUsage.add(alice.pk, "default", "m", "USD", made)
    DailyUsage.add(alice.pk, "default", "m", "USD", Entry(saved_answers=1, saved_tokens=77))
    with django_assert_num_queries(6):  # user, quotas, sums for Redis, files, months, days
        response = client.get("/settings/usage/")
    text = response.content.decode()
    assert "4 messages a month" in text
    assert "0.500 USD a day" in text
    assert text.count("<meter") == 3
    assert "of 200.0\xa0MB for attached files" in text
    assert "1,200" in text
    assert "≈ 1,200" in text
    assert "77" in text


def test_days_of_usage_are_written_as_the_language_has_them(
    client: Client, alice: Any, time_machine: Any
) -> None:
    time_machine.move_to("2026-11-26T10:00:00Z")
    client.force_login(alice)
    DailyUsage.add(alice.pk, "default", "m", "USD", Entry(messages=1))
    for language, day in (("en", "26 Nov 2026"), ("de", "26. Nov. 2026")):
        page = client.get("/settings/usage/", headers={"Accept-Language": language})
        assert f'<th scope="row">{day}</th>' in page.content.decode()


def test_usage_without_any(client: Client) -> None:
    text = client.get("/settings/usage/").content.decode()
    assert "You have no quota" in text
    assert text.count("Nothing yet") == 2
