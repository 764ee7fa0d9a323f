from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from conversations import sending
from conversations.models import Conversation, Message, Reply, Role, Status
from tests.factories import ConversationFactory, ReplyFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> uuid.UUID:
    return uuid.uuid4()


def test_start_makes_a_conversation_with_a_message_and_a_pending_reply(key: uuid.UUID) -> None:
    conversation = sending.start(UserFactory(), "  What is **this**?\nMore.", key)

    question, answer = conversation.messages.order_by("pk")
    assert conversation.title == "What is **this**?"
    assert (question.role, answer.role) == (Role.USER, Role.ASSISTANT)
    assert "<strong>this</strong>" in question.html
    assert answer.reply.status == Status.PENDING


def test_starting_twice_with_one_key_makes_one_conversation(key: uuid.UUID) -> None:
    user = UserFactory()

    assert sending.start(user, "Hello", key) == sending.start(user, "Hello", key)
    assert Conversation.objects.count() == 1
    assert Message.objects.count() == 2


def test_a_key_cannot_start_with_another_text(key: uuid.UUID) -> None:
    user = UserFactory()
    sending.start(user, "Hello", key)

    with pytest.raises(sending.KeyReused):
        sending.start(user, "Other", key)


def test_two_users_may_have_the_same_key(key: uuid.UUID) -> None:
    first, second = (sending.start(UserFactory(), "Hello", key) for _ in range(2))

    assert first != second


def test_sending_twice_with_one_key_stores_one_message(key: uuid.UUID) -> None:
    conversation = ConversationFactory()

    assert sending.send(conversation, "Hi", key) == sending.send(conversation, "Hi", key)
    assert conversation.messages.count() == 2
    with pytest.raises(sending.KeyReused):
        sending.send(conversation, "Ho", key)


def test_nothing_is_sent_while_a_reply_is_written(key: uuid.UUID) -> None:
    reply = ReplyFactory(status=Status.RUNNING)

    with pytest.raises(sending.ReplyInProgress):
        sending.send(reply.message.conversation, "Hi", key)
    assert reply.message.conversation.messages.count() == 1


def test_sending_moves_the_conversation_to_the_top(key: uuid.UUID) -> None:
    user = UserFactory()
    older, newer = ConversationFactory(user=user), ConversationFactory(user=user)
    assert list(user.conversations.newest_first()) == [newer, older]

    sending.send(older, "Hi", key)

    assert list(user.conversations.newest_first()) == [older, newer]


def test_the_task_is_enqueued_when_the_transaction_commits(
    key: uuid.UUID, django_capture_on_commit_callbacks: Any, queue_redis: Any
) -> None:
    jobs = queue_redis.llen("rq:queue:high")
    with django_capture_on_commit_callbacks(execute=True):
        sending.send(ConversationFactory(), "Hi", key)
        assert queue_redis.llen("rq:queue:high") == jobs

    assert queue_redis.llen("rq:queue:high") == jobs + 1


def test_stopping_a_waiting_reply_ends_it() -> None:
    reply = ReplyFactory()

    sending.stop(reply)

    reply.refresh_from_db()
    assert reply.status == Status.STOPPED
    assert not Reply.objects.begin(reply.pk, 1)


def test_stopping_a_running_reply_asks_its_worker(queue_redis: Any) -> None:
    reply = ReplyFactory(status=Status.RUNNING, attempt=3)

    sending.stop(reply)

    reply.refresh_from_db()
    assert (reply.status, reply.stop_requested) == (Status.RUNNING, True)
    assert queue_redis.exists(f"stop:{reply.message_id}:3")


def test_stopping_an_ended_reply_changes_nothing() -> None:
    reply = ReplyFactory(status=Status.COMPLETE)

    sending.stop(reply)

    reply.refresh_from_db()
    assert (reply.status, reply.stop_requested) == (Status.COMPLETE, False)


@pytest.mark.parametrize("status", [Status.FAILED, Status.STOPPED])
def test_an_ended_reply_can_be_tried_again(status: Status) -> None:
    reply = ReplyFactory(status=status, attempt=1, error="timeout", explanation="Too slow.")

    assert sending.retry(reply)

    reply.refresh_from_db()
    assert (reply.status, reply.error, reply.explanation) == (Status.PENDING, "", "")
    assert Reply.objects.begin(reply.pk, 2)


def test_an_answer_from_the_cache_can_be_asked_anew() -> None:
    reply = ReplyFactory(status=Status.COMPLETE, attempt=1, cached_at=timezone.now())

    assert sending.retry(reply)

    reply.refresh_from_db()
    assert (reply.fresh, reply.cached_at) == (True, None)


def test_no_other_reply_can() -> None:
    assert not sending.retry(ReplyFactory(status=Status.COMPLETE))


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
def test_nothing_is_tried_again_while_a_reply_is_written(status: Status) -> None:
    live = ReplyFactory(status=status)
    failed = ReplyFactory(message__conversation=live.message.conversation, status=Status.FAILED)

    for reply in (live, failed):
        with pytest.raises(sending.ReplyInProgress):
            sending.retry(reply)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_send_at_once_take_turns(queue_redis: Any) -> None:
    conversation = ConversationFactory()
    together = threading.Barrier(2)

    def send() -> str:
        together.wait(5)
        try:
            sending.send(conversation, "Hi", uuid.uuid4())
        except sending.ReplyInProgress:
            return "refused"
        finally:
            connections.close_all()
        return "sent"

    with ThreadPoolExecutor(2) as tabs:
        outcomes = [tab.result(10) for tab in [tabs.submit(send), tabs.submit(send)]]

    assert sorted(outcomes) == ["refused", "sent"]
    assert Reply.objects.live().count() == 1


def test_nothing_is_sent_to_a_conversation_that_is_gone(key: uuid.UUID) -> None:
    conversation = ConversationFactory()
    Conversation.objects.all().delete()

    with pytest.raises(Conversation.DoesNotExist):
        sending.send(conversation, "Hi", key)
