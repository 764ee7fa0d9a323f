from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404

from conversations import answering, attempts, reading, sending
from conversations.models import Conversation, Message, Reply, Status
from conversations.reading import MessagePage
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, UserFactory

# Forgetting happens on commit, so commits are real here.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("cache_redis", "queue_redis"),
]


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory(title="Cheese")
    MessageFactory(conversation=made, text="Brie?")
    return made


def page(conversation: Conversation) -> MessagePage:
    return reading.message_page(conversation.user, conversation.pk)


def titles(conversation: Conversation) -> list[str]:
    return [row.title for row in reading.conversation_page(conversation.user).rows]


def test_a_page_is_read_once(conversation: Conversation, django_assert_num_queries: Any) -> None:
    first = page(conversation)
    with django_assert_num_queries(0):
        assert page(conversation) == first
    assert [row.html for row in first.rows] == ["<p>Brie?</p>\n"]


def test_the_list_is_read_once(conversation: Conversation, django_assert_num_queries: Any) -> None:
    assert titles(conversation) == ["Cheese"]
    with django_assert_num_queries(0):
        assert titles(conversation) == ["Cheese"]


def test_nobody_finds_what_was_loaded_for_another(conversation: Conversation) -> None:
    page(conversation)
    with pytest.raises(Http404):
        reading.message_page(UserFactory(), conversation.pk)


def send(conversation: Conversation) -> None:
    sending.send(conversation, "More", uuid.uuid4())


def rename(conversation: Conversation) -> None:
    conversation.rename("Wine")


def begin(conversation: Conversation) -> None:
    reply = conversation.messages.get(reply__isnull=False).reply
    attempt = attempts.begin(reply.pk, 1)
    assert attempt
    attempt.text = "An answer."
    attempts.end(attempt, Status.COMPLETE)


def stop(conversation: Conversation) -> None:
    answering.stop(conversation.messages.get(reply__isnull=False).reply)


def delete_message(conversation: Conversation) -> None:
    conversation.messages.order_by("pk").first().delete()  # type: ignore[union-attr]


def delete_as_the_admin_does(conversation: Conversation) -> None:
    Message.objects.filter(conversation=conversation).delete()


@pytest.mark.parametrize(
    "change", [send, rename, begin, stop, delete_message, delete_as_the_admin_does]
)
def test_a_change_shows_at_once(
    conversation: Conversation, change: Callable[[Conversation], None]
) -> None:
    if change is not send:
        ReplyFactory(message__conversation=conversation)
    before = page(conversation)

    change(conversation)

    assert page(conversation) != before


def test_a_new_name_shows_in_the_list(conversation: Conversation) -> None:
    assert titles(conversation) == ["Cheese"]
    conversation.rename("Wine")
    assert titles(conversation) == ["Wine"]


def test_what_is_deleted_is_gone(conversation: Conversation) -> None:
    page(conversation)
    titles(conversation)
    pk = conversation.pk

    conversation.delete()

    with pytest.raises(Http404):
        reading.message_page(conversation.user, pk)
    assert titles(conversation) == []


def test_a_running_reply_is_followed_from_its_start(conversation: Conversation) -> None:
    reply = ReplyFactory(
        message__conversation=conversation, status=Status.RUNNING, stream_start="17-3"
    )
    assert page(conversation).stream_start == "17-3"

    Reply.objects.filter(pk=reply.pk).update(status=Status.COMPLETE)
    reading.conversation_cache.forget(conversation.user_id, conversation.pk)
    assert page(conversation).stream_start == ""


@pytest.mark.parametrize(
    ("status", "start", "attempt"),
    [
        (Status.PENDING, "", 3),
        (Status.PENDING, "17-3", 3),
        (Status.RUNNING, "", 2),
        (Status.RUNNING, "17-3", None),
        (Status.ASKING, "", None),
        (Status.COMPLETE, "", None),
    ],
)
def test_replies_whose_events_are_still_to_be_found(
    conversation: Conversation, status: Status, start: str, attempt: int | None
) -> None:
    reply = ReplyFactory(
        message__conversation=conversation, status=status, attempt=2, stream_start=start
    )
    assert page(conversation).unplaced == ({reply.message_id: attempt} if attempt else {})
