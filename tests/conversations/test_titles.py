from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from conversations import titles
from conversations.ai.base import ChatRequest, Event, Finish, Text, Usage
from conversations.models import Conversation, DailyUsage, Message
from tests.backends import ScriptedBackend
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


class Naming(ScriptedBackend):
    is_language_model = True
    model = "naming"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        yield Text("Best cheese")
        yield Usage(input_tokens=40, output_tokens=2)
        yield Finish("stop")


def test_what_a_title_took_is_counted(answer: Message, settings: Any) -> None:
    entry = {"BACKEND": f"{__name__}.Naming", "OPTIONS": {"prices": ["1", "5"]}}
    settings.CHAT_BACKENDS = {"default": entry}
    async_to_sync(titles.suggest)(answer.pk)

    assert Conversation.objects.get().title == "Best cheese"
    day = DailyUsage.objects.get()
    assert (day.messages, day.tokens, day.cost) == (0, 42, Decimal("0.00005"))
