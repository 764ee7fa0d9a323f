from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from conversations import reading, sending
from conversations.models import Branch, Conversation, Message, Reply, Role, Status
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, UserFactory

pytestmark = pytest.mark.django_db

MANY = """
WITH made AS (
    INSERT INTO conversations_message (conversation_id, branch_id, place, role, text, html, renderer, created_at)
    SELECT %s, %s, n, 'assistant', '', '', 0, now() FROM generate_series(2, 2000) n RETURNING id
)
INSERT INTO conversations_reply (message_id, status, attempt, backend, model, author, error, explanation,
    correlation_id, stream_start, fresh, stop_requested, pending_since, continues, turns)
SELECT id, 'complete', 1, 'default', '', '', '', '', '', '', false, false, now(), false, '' FROM made
"""


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


def test_a_message_follows_the_branch_that_its_page_shows(key: uuid.UUID) -> None:
    first = MessageFactory.create(text="A")
    conversation = first.conversation
    Branch.objects.forked(before=first).append(Message(role=Role.USER, text="B"))

    sent = sending.send(conversation, "After A", key, branch=first.branch_id)

    assert (sent.branch_id, sent.place) == (first.branch_id, 2)
    assert conversation.shown_branch == first.branch
    with pytest.raises(Branch.DoesNotExist):
        sending.send(conversation, "Hi", uuid.uuid4(), MessageFactory.create().branch_id)


def test_one_branch_is_answered_while_another_goes_on(key: uuid.UUID) -> None:
    first = MessageFactory.create(text="A")
    ReplyFactory.create(message__conversation=first.conversation, status=Status.RUNNING)

    edited = sending.edit(first, "A, better", key)

    assert (edited.place, edited.branch.fork, edited.branch.parent) == (1, 0, None)
    assert edited.branch_id != first.branch_id
    assert Reply.objects.live().count() == 2
    assert sending.edit(first, "A, better", key) == edited
    with pytest.raises(sending.KeyReused):
        sending.edit(first, "Other", key)


def test_an_edited_message_is_shown_with_what_led_to_it(key: uuid.UUID) -> None:
    messages = MessageFactory.create_batch(4, conversation=ConversationFactory.create())
    conversation = messages[0].conversation

    edited = sending.edit(messages[2], "Third, better", key)

    page = reading.message_page(conversation.user, conversation.pk)
    assert [row.pk for row in page.rows][:3] == [messages[0].pk, messages[1].pk, edited.pk]
    versions = page.rows[2].versions
    assert versions
    assert (versions.number, versions.count, versions.previous) == (2, 2, messages[2].branch_id)


def test_what_is_sent_takes_five_statements(key: uuid.UUID, django_assert_num_queries: Any) -> None:
    first = MessageFactory.create(text="A")
    conversation = Conversation.objects.select_related("user").get(pk=first.conversation_id)

    with django_assert_num_queries(2 + 5):  # savepoint; conversation, look, messages, reply, quotas
        sending.send(conversation, "Hi", key, branch=first.branch_id)
    with django_assert_num_queries(2 + 6):  # with the files that it has, and a branch
        sending.edit(first, "A, better", uuid.uuid4())
    with django_assert_num_queries(2 + 5):
        sending.start(conversation.user, "Hello", uuid.uuid4())


def test_what_is_sent_reads_open_replies_alone(key: uuid.UUID) -> None:
    last = ReplyFactory.create(status=Status.COMPLETE).message
    with connection.cursor() as cursor:
        cursor.execute(MANY, [last.conversation_id, last.branch_id])
        cursor.execute("ANALYZE conversations_message, conversations_reply")
    with CaptureQueriesContext(connection) as queries:
        sending.send(last.conversation, "Hi", key)

    look = next(one["sql"] for one in queries if "is_being_answered" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {look}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "reply_open" in plan, plan
    assert "Seq Scan on conversations_reply" not in plan


def test_what_is_sent_again_changes_nothing(key: uuid.UUID) -> None:
    conversation = ConversationFactory()
    sent = sending.send(conversation, "Hi", key)
    Reply.objects.update(status=Status.COMPLETE)
    last = sending.send(conversation, "And?", uuid.uuid4())
    before = Conversation.objects.get().last_message_at

    assert sending.send(conversation, "Hi", key) == sent
    assert Conversation.objects.get().last_message_at == before
    assert last.place == 3


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
