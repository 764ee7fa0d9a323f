from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from conversations import titles
from conversations.models import Conversation, Message
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("queue_redis", "cache_redis"),
]


@pytest.fixture
def answer() -> Message:
    conversation: Conversation = ConversationFactory.create(title="what is the best cheese")
    MessageFactory.create(conversation=conversation, text="what is the best cheese?")
    message: Message = ReplyFactory.create(message__conversation=conversation).message
    return message


def test_a_conversation_is_named_after_its_question(answer: Message) -> None:
    async_to_sync(titles.suggest)(answer.pk)
    assert Conversation.objects.get().title == "Best cheese"


def test_a_chosen_name_stays(answer: Message) -> None:
    answer.conversation.rename("Cheese")
    async_to_sync(titles.suggest)(answer.pk)
    assert not answer.conversation.suggest_title("Late")
    assert Conversation.objects.get().title == "Cheese"


def test_what_is_gone_is_not_named(answer: Message) -> None:
    answer.conversation.delete()
    async_to_sync(titles.suggest)(answer.pk)
