from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from conversations.forms import RETRY_IN_PROGRESS
from conversations.models import Conversation, Message, Reply, Status
from tests.factories import MessageFactory, ReplyFactory

HTMX = {"HX-Request": "true"}


def address(message: Message, verb: str) -> str:
    return f"/c/{message.conversation_id}/messages/{message.pk}/{verb}/"


@pytest.fixture
def reply(conversation: Conversation) -> Reply:
    return ReplyFactory.create(message__conversation=conversation)


def test_a_waiting_reply_is_stopped_at_once(client: Client, reply: Reply) -> None:
    response = client.post(address(reply.message, "stop"), headers=HTMX)
    assert 'data-status="stopped"' in response.content.decode()
    reply.refresh_from_db()
    assert reply.status == Status.STOPPED


def test_a_running_reply_is_asked_to_stop(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.RUNNING, attempt=1)
    response = client.post(address(reply.message, "stop"))
    assert response.status_code == 303
    assert response["Location"].endswith(f"#m{reply.message.pk}")
    reply.refresh_from_db()
    assert reply.stop_requested


@pytest.mark.parametrize("status", [Status.FAILED, Status.STOPPED])
def test_try_again(client: Client, reply: Reply, status: Status) -> None:
    Reply.objects.update(status=status)
    response = client.post(address(reply.message, "retry"), headers=HTMX)
    assert "Waiting for the assistant" in response.content.decode()
    reply.refresh_from_db()
    assert reply.status == Status.PENDING


@pytest.mark.parametrize(("headers", "status"), [({}, 200), (HTMX, 409)], ids=["page", "fragment"])
def test_while_another_answer_is_written_this_one_waits(
    client: Client, reply: Reply, headers: dict[str, str], status: int
) -> None:
    Reply.objects.update(status=Status.FAILED)
    ReplyFactory.create(message__conversation=reply.message.conversation, status=Status.RUNNING)
    response = client.post(address(reply.message, "retry"), headers=headers, follow=True)
    assert response.status_code == status
    assert RETRY_IN_PROGRESS in response.content.decode()
    reply.refresh_from_db()
    assert reply.status == Status.FAILED


def test_an_answer_from_the_cache_says_so(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.COMPLETE, cached_at=timezone.now())
    text = client.get(reply.message.conversation.get_absolute_url()).content.decode()
    assert "Answered before, on" in text
    assert "Ask anew" in text


def test_a_complete_answer_is_left_alone(client: Client, reply: Reply) -> None:
    Reply.objects.update(status=Status.COMPLETE)
    for verb in ("stop", "retry"):
        client.post(address(reply.message, verb))
    reply.refresh_from_db()
    assert reply.status == Status.COMPLETE


def test_of_others_there_is_nothing(charlie: Client, reply: Reply) -> None:
    for verb in ("stop", "retry"):
        assert charlie.post(address(reply.message, verb)).status_code == 404
    reply.refresh_from_db()
    assert reply.status == Status.PENDING


def test_a_message_without_a_reply_has_no_buttons(
    client: Client, conversation: Conversation
) -> None:
    message = MessageFactory.create(conversation=conversation)
    assert client.post(address(message, "stop")).status_code == 404
    assert client.get(address(message, "stop")).status_code == 405


def test_events_are_not_served_by_pages(client: Client, conversation: Conversation) -> None:
    response = client.get(f"/c/{conversation.pk}/events/")
    assert response.status_code == 501
    assert b"chatsite.asgi" in response.content
