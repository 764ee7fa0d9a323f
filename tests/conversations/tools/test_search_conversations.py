from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User

from conversations import tools
from conversations.models import Role
from conversations.tools import ToolContext
from tests.factories import ConversationFactory, MessageFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    user = UserFactory()
    MessageFactory(
        conversation__user=user, conversation__title="Summer", text="We go to Portugal in July."
    )
    MessageFactory(conversation__user=user, text="What did I say about Portugal?")
    MessageFactory(
        conversation__user=user,
        role=Role.ASSISTANT,
        text="Portugal is a country, said the assistant.",
    )
    MessageFactory(conversation__user=UserFactory(), text="Bob hides his gold in Portugal.")
    return user


def search(user: User, query: str, conversation_id: str = "") -> list[dict[str, Any]]:
    context = ToolContext(user_id=user.pk, conversation_id=conversation_id)
    result = async_to_sync(tools.run)("search_conversations", json.dumps({"query": query}), context)
    assert not result.error
    messages: list[dict[str, Any]] = result.value["messages"]
    return messages


def test_finds_own_statements_with_links(alice: User) -> None:
    (found,) = search(alice, "Portugal")
    message = alice.conversations.get(title="Summer").messages.get()
    assert found["is_match"]
    assert found["text"] == "We go to Portugal in July."
    assert found["url"] == f"/c/{message.conversation_id}/?at={message.pk}#m{message.pk}"
    assert found["conversation"] == "Summer"


def test_others_messages_do_not_exist(alice: User) -> None:
    assert not any("Bob" in one["text"] for one in search(alice, "where does Bob hide his gold"))
    assert search(UserFactory(), "Portugal") == []


def test_the_question_itself_is_no_answer(alice: User) -> None:
    conversation = ConversationFactory(user=alice)
    MessageFactory(conversation=conversation, text="Find my messages about the gearbox")
    assert not any(
        "gearbox" in one["text"] for one in search(alice, "gearbox", str(conversation.pk))
    )


def test_another_user_s_conversation_as_context_tells_nothing(alice: User) -> None:
    other = MessageFactory(text="Bob's secret").conversation
    assert not any("secret" in one["text"] for one in search(alice, "secret", str(other.pk)))


def test_meaning_without_the_word(alice: User) -> None:
    MessageFactory(conversation__user=alice, text="The dentist appointment is at 9:30.")
    assert "dentist" in search(alice, "my teeth")[0]["text"]


def test_old_messages_are_found_by_their_words(alice: User) -> None:
    MessageFactory(conversation__user=alice, text="The gearbox broke near Lyon.")
    conversation = ConversationFactory(user=alice)
    for number in range(210):
        MessageFactory(conversation=conversation, text=f"Note {number}", html="")
    assert "gearbox" in search(alice, "gearbox")[0]["text"]


def test_long_messages_are_quoted_in_part(alice: User) -> None:
    text = (
        "Filler about nothing at all. " * 40 + "The gearbox broke near Lyon. " + "More of it. " * 40
    )
    MessageFactory(conversation__user=alice, text=text)
    (first, *_) = search(alice, "gearbox Lyon")
    assert "gearbox broke" in first["text"]
    assert len(first["text"]) < 500


@pytest.mark.parametrize("query", ["?", "the of and", "' OR 1=1 --", "a & b | !c", "\U0001f989"])
def test_any_query(alice: User, query: str) -> None:
    search(alice, query)
