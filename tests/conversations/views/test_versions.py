from __future__ import annotations

import uuid

import pytest
from django.test import Client

from conversations.models import Conversation, Message, Role
from tests.factories import MessageFactory, ReplyFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def question(conversation: Conversation) -> Message:
    """Followed by an answer."""
    made: Message = MessageFactory.create(conversation=conversation, text="Which *cheese*?")
    ReplyFactory.create(message__conversation=conversation, status="complete", message__text="Brie")
    return made


def address(message: Message) -> str:
    return f"/c/{message.conversation_id}/messages/{message.pk}/edit/"


def test_editing_shows_the_text(client: Client, question: Message) -> None:
    assert "Which *cheese*?</textarea>" in client.get(address(question)).content.decode()
    part = client.get(address(question), headers=HTMX).content.decode()
    assert "<form" in part
    assert "<html" not in part


def test_an_edited_message_is_another_version(client: Client, question: Message) -> None:
    data = {"text": "Which wine?", "key": str(uuid.uuid4())}
    response = client.post(address(question), data)
    edited = Message.objects.get(text="Which wine?")
    assert response["Location"] == f"/c/{question.conversation_id}/#m{edited.pk}"
    page = client.get(response["Location"]).content.decode()
    assert "Which wine?" in page
    assert "Brie" not in page
    assert f"/c/{question.conversation_id}/versions/{question.branch_id}/1/" in page
    again = client.post(address(question), data, headers=HTMX)
    assert again.status_code == 201
    assert Message.objects.filter(role=Role.USER).count() == 2


@pytest.mark.parametrize("text", ["", "x" * 32_001])
def test_what_cannot_be_sent_is_kept(client: Client, question: Message, text: str) -> None:
    for headers in ({}, HTMX):
        response = client.post(address(question), {"text": text}, headers=headers)
        assert response.status_code == 422
        assert f"{text}</textarea>" in response.content.decode()
        assert 'role="alert"' in response.content.decode()
    assert Message.objects.count() == 2


def test_an_answer_is_not_edited(client: Client, question: Message) -> None:
    answer = Message.objects.get(role=Role.ASSISTANT)
    assert client.get(address(answer)).status_code == 404


def test_a_version_is_shown_with_what_followed_it(client: Client, question: Message) -> None:
    client.post(address(question), {"text": "Which wine?"})
    where = f"/c/{question.conversation_id}/versions/{question.branch_id}/1/"
    part = client.post(where, headers=HTMX).content.decode()
    assert "Brie" in part or "cheese" in part
    assert "Which wine?" not in part
    assert client.post(where)["Location"] == question.get_absolute_url()
    page = client.get(f"/c/{question.conversation_id}/").content.decode()
    assert "cheese" in page
    assert "Which wine?" not in page


@pytest.mark.parametrize("part", ["{branch}/9/", "999999999/1/", "0/0/", f"{10**30}/{10**30}/"])
def test_a_version_that_is_none_is_not_found(client: Client, question: Message, part: str) -> None:
    where = f"/c/{question.conversation_id}/versions/{part.format(branch=question.branch_id)}"
    assert client.post(where).status_code == 404


def test_a_hidden_version_has_an_address(client: Client, question: Message) -> None:
    client.post(address(question), {"text": "Which wine?"})
    page = client.get(question.get_absolute_url()).content.decode()
    assert "cheese" in page
    assert "This is a version that is not shown now." in page


def test_of_others_there_is_nothing(charlie: Client, question: Message) -> None:
    assert charlie.get(address(question)).status_code == 404
    assert charlie.post(address(question), {"text": "Mine"}).status_code == 404
    where = f"/c/{question.conversation_id}/versions/{question.branch_id}/1/"
    assert charlie.post(where).status_code == 404
