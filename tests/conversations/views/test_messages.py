from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from conversations.forms import IN_PROGRESS, KEY_REUSED
from conversations.models import Conversation, Message, Role, Status
from conversations.tasks import sweep_replies
from tests.factories import MessageFactory, ReplyFactory

HTMX = {"HX-Request": "true"}
KEY = uuid.UUID("00000000-0000-4000-8000-000000000003")


def address(conversation: Conversation, rest: str = "") -> str:
    return f"/c/{conversation.pk}/messages/{rest}"


def test_a_sent_message_is_where_the_browser_goes(
    client: Client, conversation: Conversation
) -> None:
    response = client.post(address(conversation), {"text": "Hello", "key": KEY})
    message = conversation.messages.get(role=Role.USER)
    assert response.status_code == 303
    assert response["Location"] == f"/c/{conversation.pk}/#m{message.pk}"


def test_scripts_get_both_messages_and_a_fresh_key(
    client: Client, conversation: Conversation
) -> None:
    response = client.post(address(conversation), {"text": "Hello", "key": KEY}, headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 201
    assert text.count("<article") == 2
    assert 'data-status="pending"' in text
    assert "hx-swap-oob" in text
    assert str(KEY) not in text
    assert "<html" not in text


def test_what_sending_costs(
    client: Client,
    conversation: Conversation,
    cache_redis: Any,
    django_assert_num_queries: Any,
) -> None:
    before = MessageFactory.create(conversation=conversation)
    form = {"text": "Hello", "key": KEY, "branch": before.branch_id}
    client.get("/")  # what the user prefers is in the cache from here on
    # user, conversation; two of the savepoint and five that send; messages, place in the queue
    with django_assert_num_queries(2 + 7 + 2):
        client.post(address(conversation), form, headers=HTMX)


def test_a_double_submit_is_one_message(client: Client, conversation: Conversation) -> None:
    for _ in range(2):
        client.post(address(conversation), {"text": "Hello", "key": KEY})
    assert conversation.messages.filter(role=Role.USER).count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_while_a_reply_is_written_the_next_message_waits(
    client: Client, conversation: Conversation, headers: dict[str, str]
) -> None:
    ReplyFactory.create(message__conversation=conversation, status=Status.RUNNING)
    form = {"text": "And Gouda?", "key": KEY}
    response = client.post(address(conversation), form, headers=headers)
    assert response.status_code == 409
    assert str(IN_PROGRESS) in response.content.decode()
    if headers:
        assert response["HX-Retarget"] == "#problems"
    else:
        assert "And Gouda?</textarea>" in response.content.decode()
    assert not conversation.messages.filter(role=Role.USER).exists()


def test_a_used_key_is_refused(client: Client, conversation: Conversation) -> None:
    client.post(address(conversation), {"text": "Hello", "key": KEY})
    response = client.post(address(conversation), {"text": "Bye", "key": KEY}, headers=HTMX)
    assert response.status_code == 422
    assert str(KEY_REUSED) in response.content.decode()


@pytest.mark.parametrize("text", ["", "x" * 32_001, "a\0b"], ids=["empty", "long", "NUL"])
def test_bad_input_stores_nothing(client: Client, conversation: Conversation, text: str) -> None:
    response = client.post(address(conversation), {"text": text, "key": KEY})
    assert response.status_code == 422
    assert f"{text.replace(chr(0), '')}</textarea>" in response.content.decode()
    assert not Message.objects.exists()


def test_parts_before_and_after(client: Client, conversation: Conversation) -> None:
    messages = MessageFactory.create_batch(4, conversation=conversation)
    MessageFactory.create()
    after = client.get(address(conversation), {"after": messages[1].pk})
    before = client.get(address(conversation), {"before": messages[1].pk})
    assert [message.pk for message in after.context["messages_page"].rows] == [
        messages[2].pk,
        messages[3].pk,
    ]
    assert [message.pk for message in before.context["messages_page"].rows] == [messages[0].pk]
    assert b"<html" not in after.content + before.content


@pytest.mark.parametrize("query", [{"after": "x"}, {"before": "-1"}])
def test_a_number_that_is_none_is_not_found(
    client: Client, conversation: Conversation, query: dict[str, str]
) -> None:
    assert client.get(address(conversation), query).status_code == 404


def test_one_message(client: Client, conversation: Conversation) -> None:
    reply = ReplyFactory.create(
        message__conversation=conversation,
        message__text="a🧀",
        message__html="<p>a🧀</p>",
        status=Status.RUNNING,
        attempt=2,
        stream_start="5-1",
    )
    text = client.get(address(conversation, f"{reply.message.pk}/")).content.decode()
    assert 'data-attempt="2" data-length="3" data-start="5-1"' in text
    assert "<p>a🧀</p>" in text


def test_of_others_there_is_nothing(
    client: Client, charlie: Client, conversation: Conversation, alice: Any
) -> None:
    message = MessageFactory.create(conversation=conversation)
    elsewhere = MessageFactory.create()
    assert charlie.get(address(conversation)).status_code == 404
    assert charlie.get(address(conversation, f"{message.pk}/")).status_code == 404
    assert charlie.post(address(conversation), {"text": "x"}).status_code == 404
    assert client.get(address(conversation, f"{elsewhere.pk}/")).status_code == 404
    assert client.get(address(conversation, f"{'9' * 40}/")).status_code == 404
    assert Client().get(address(conversation)).status_code == 302
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_without_queues_the_answer_is_there_with_the_page(
    client: Client, conversation: Conversation, settings: Any
) -> None:
    settings.PERFORMANCE = {**settings.PERFORMANCE, "QUEUES": {"ENABLED": False}}
    settings.CHAT_BACKENDS = {"default": {"BACKEND": "tests.backends.ScriptedBackend"}}
    client.post(address(conversation), {"text": "say At once.", "key": KEY})
    answer = conversation.messages.select_related("reply").get(role=Role.ASSISTANT)
    assert (answer.text, answer.reply.status) == ("At once.", Status.COMPLETE)
    assert "At once." in client.get(f"/c/{conversation.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["full", "away"])
def test_a_queue_that_takes_no_more_is_told_and_the_text_is_kept(
    client: Client, conversation: Conversation, settings: Any, queue_redis: Any, trouble: str
) -> None:
    held_up = "cannot take more questions right now. Yours is saved"
    tasks_before, queues_before = settings.TASKS, settings.RQ_QUEUES
    if trouble == "full":
        default = settings.TASKS["default"]
        settings.TASKS = {"default": {**default, "OPTIONS": {"MAX_LENGTH": {"high": 1}}}}
        queue_redis.rpush("rq:queue:high", "another")
    else:
        nobody = {key: {"URL": "redis://127.0.0.1:1/0"} for key in settings.RQ_QUEUES}
        settings.RQ_QUEUES = nobody
    response = client.post(address(conversation), {"text": "Hello", "key": KEY}, headers=HTMX)

    assert response.status_code == 201
    assert held_up in response.content.decode()
    assert held_up in client.get(f"/c/{conversation.pk}/").content.decode()
    assert sweep_replies.func() == 0
    settings.TASKS, settings.RQ_QUEUES = tasks_before, queues_before
    assert sweep_replies.func() == 1
    assert held_up not in client.get(f"/c/{conversation.pk}/").content.decode()
    assert queue_redis.llen("rq:queue:high") == (2 if trouble == "full" else 1)
