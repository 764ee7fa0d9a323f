"""A conversation goes with all that is known of it; a temporary one by itself."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from conversations import deleting, replies, sending
from conversations.models import Conversation, Reply, SearchEntry, Status
from conversations.tasks import delete_temporary
from tests.factories import MessageFactory, ReplyFactory, UserFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("queue_redis", "cache_redis"),
]
CANARY = "zanzibarite"


@pytest.fixture
def alice(settings: Any) -> User:
    settings.CHAT_BACKENDS = {"default": {"BACKEND": "tests.backends.ScriptedBackend"}}
    made: User = UserFactory()
    return made


def asked(user: User, temporary: bool = True) -> Conversation:
    text = f'tool calculator {{"expression": "6*7"}}\nsay {CANARY}'
    made = sending.start(user, text, uuid.uuid4(), temporary=temporary, system_prompt=CANARY)
    async_to_sync(replies.write)(made.messages.get(place=2).reply.pk, 1)
    return made


def rows_with(word: str) -> list[str]:
    """Every table of the database with a row that holds the word anywhere."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', [f"%{word}%"]
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def values_with(server: redis.Redis, word: str) -> list[bytes]:
    """Every key of the server whose value, of whatever kind, holds the word."""
    found = []
    for key in server.scan_iter():
        match server.type(key):
            case b"string":
                value = server.get(key)
            case b"stream":
                value = repr(server.xrange(key)).encode()
            case b"hash":
                value = repr(server.hgetall(key)).encode()
            case _:
                value = b""
        if word.encode() in (value or b""):
            found.append(key)
    return found


def test_a_temporary_conversation_is_in_no_list_no_search_and_no_export(alice: User) -> None:
    kept, gone = asked(alice, temporary=False), asked(alice)
    client = Client()
    client.force_login(alice)
    assert client.get(gone.get_absolute_url()).status_code == 200
    for page in ("/", f"/search/?words={CANARY}"):
        body = client.get(page).content
        assert str(kept.pk).encode() in body
        assert str(gone.pk).encode() not in body
    file = client.get("/transfer/?format=json").getvalue()
    assert len(json.loads(file)["conversations"]) == 1
    assert not SearchEntry.objects.filter(message__conversation=gone).exists()


@pytest.mark.parametrize("how", ["by itself", "by its user"])
def test_nothing_stays_of_a_temporary_conversation(
    alice: User, how: str, queue_redis: redis.Redis, cache_redis: redis.Redis
) -> None:
    conversation = asked(alice)
    client = Client()
    client.force_login(alice)
    page = client.get(conversation.get_absolute_url())
    assert CANARY in page.content.decode()
    assert rows_with(CANARY)
    assert values_with(queue_redis, CANARY)
    if how == "by itself":
        long_ago = timezone.now() - timedelta(hours=25)
        Conversation.objects.update(last_message_at=long_ago)
        assert delete_temporary.func() == 1
    else:
        client.post(f"{conversation.get_absolute_url()}delete/")
    assert rows_with(CANARY) == []
    assert values_with(queue_redis, CANARY) == []
    assert values_with(cache_redis, CANARY) == []
    named = [key for key in cache_redis.scan_iter() if str(conversation.pk).encode() in key]
    assert all(b":generation:" in key for key in named)  # counts that it changed, and no more


def test_no_browser_keeps_a_temporary_conversation(alice: User) -> None:
    conversation = asked(alice)
    client = Client()
    client.force_login(alice)
    own = conversation.get_absolute_url()
    for page in ("", "messages/", f"messages/{conversation.messages.get(place=1).pk}/"):
        response = client.get(f"{own}{page}")
        assert "no-store" in response.headers["Cache-Control"], page
        assert "ETag" not in response.headers


def test_a_temporary_conversation_is_not_shared(alice: User) -> None:
    conversation = asked(alice)
    client = Client()
    client.force_login(alice)
    page = f"{conversation.get_absolute_url()}share/"
    assert page not in client.get(conversation.get_absolute_url()).content.decode()
    assert client.get(page).status_code == client.post(page).status_code == 404


def test_what_is_still_young_or_kept_stays(alice: User, settings: Any) -> None:
    asked(alice)
    kept = asked(alice, temporary=False)
    Conversation.objects.filter(pk=kept.pk).update(last_message_at="2020-01-01T00:00Z")
    assert deleting.delete_expired() == 0
    settings.TEMPORARY_HOURS = 0
    assert deleting.delete_expired() == 1
    assert Conversation.objects.get() == kept


def test_what_somebody_writes_in_meanwhile_stays(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = {asked(alice), asked(alice)}
    Conversation.objects.update(last_message_at="2020-01-01T00:00Z")
    delete = deleting.delete

    def slowly(conversation: Conversation) -> None:
        delete(conversation)
        Conversation.objects.update(last_message_at=timezone.now())

    monkeypatch.setattr(deleting, "delete", slowly)
    assert deleting.delete_expired() == 1
    assert Conversation.objects.get() in both


def test_an_answer_that_is_being_written_is_stopped(queue_redis: redis.Redis) -> None:
    reply: Reply = ReplyFactory(status=Status.RUNNING, attempt=3)
    MessageFactory(conversation=reply.message.conversation)
    deleting.delete(reply.message.conversation)
    assert queue_redis.exists(f"stop:{reply.message_id}:3")
