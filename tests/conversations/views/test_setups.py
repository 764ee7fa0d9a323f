from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Conversation, Preferences, Status
from tests.factories import MessageFactory, ReplyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]


@pytest.fixture
def two_models(settings: Any) -> None:
    settings.CHAT_BACKENDS = {
        "default": {
            "BACKEND": "tests.backends.ScriptedBackend",
            "OPTIONS": {"models": ["big", "small"]},
        }
    }


def url(conversation: Conversation) -> str:
    return f"{conversation.get_absolute_url()}setup/"


def page(client: Client, conversation: Conversation) -> str:
    return client.get(conversation.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("two_models")
def test_the_conversations_page_says_what_it_has_of_its_own(
    client: Client, conversation: Conversation, alice: User
) -> None:
    assert "instructions" not in page(client, conversation)
    data = {"chat_model": "default/small", "system_prompt": "Use metres.", "reuse_answers": "on"}
    assert client.post(url(conversation), data).status_code == 303
    shown = page(client, conversation)
    assert "With instructions of its own" in shown
    assert "Scripted: small</a>" in shown
    Preferences.objects.change(alice, system_prompt="Answer in rhyme.")
    shown = page(client, conversation)
    assert "With your instructions" in shown
    assert "With instructions of its own" in shown
    assert "Use metres." in client.get(url(conversation)).content.decode()


def test_too_long_is_refused(client: Client, conversation: Conversation) -> None:
    response = client.post(url(conversation), {"system_prompt": "x" * 4001})
    assert response.status_code == 422
    assert "have 4001 characters" in response.content.decode()
    conversation.refresh_from_db()
    assert conversation.system_prompt == ""


@pytest.mark.usefixtures("two_models")
def test_a_conversation_begins_as_the_form_says(client: Client, alice: User) -> None:
    Preferences.objects.change(alice, chat_model="default/small")
    start = {"text": "Hello", "key": str(uuid.uuid4())}
    client.post("/", start)
    assert Conversation.objects.get().chat_model == "default/small"
    other = {"text": "Hello", "key": str(uuid.uuid4()), "chat_model": "default/big"}
    client.post("/", other | {"system_prompt": "Use metres."})
    made = Conversation.objects.get(chat_model="default/big")
    assert made.system_prompt == "Use metres."


@pytest.mark.usefixtures("two_models")
def test_a_model_that_there_is_not_is_refused_with_the_text_kept(client: Client) -> None:
    sent = {"text": "Hello there", "key": str(uuid.uuid4()), "chat_model": "default/none"}
    response = client.post("/", sent)
    assert response.status_code == 422
    assert "no model “default/none”" in response.content.decode()
    assert "Hello there</textarea>" in response.content.decode()
    assert not Conversation.objects.exists()


@pytest.mark.usefixtures("two_models")
def test_an_answer_names_its_model_and_offers_another(
    client: Client, conversation: Conversation
) -> None:
    MessageFactory.create(conversation=conversation)
    reply = ReplyFactory.create(
        message__conversation=conversation,
        message__text="Yes",
        status=Status.COMPLETE,
        author="Scripted",
        model="big",
        instead_of="gone",
    )
    shown = page(client, conversation)
    assert '<span class="model">big</span>' in shown
    assert "“gone” is not offered any more" in shown
    again = f"{conversation.get_absolute_url()}messages/{reply.message_id}/retry/"
    assert f'href="{again}"' in shown
    choices = client.get(again).content.decode()
    assert '<option value="default/big" selected>' in choices
    refused = client.post(again, {"chat_model": "default/none"})
    assert refused.status_code == 422
    assert client.post(again, {"chat_model": "default/small"}).status_code == 303
    assert conversation.messages.get(place=2, branch__parent__isnull=False).reply.model == "small"


def test_where_one_model_is_connected_no_other_is_offered(
    client: Client, conversation: Conversation
) -> None:
    ReplyFactory.create(
        message__conversation=conversation, message__text="Yes", status=Status.COMPLETE
    )
    assert "Ask another model" not in page(client, conversation)
