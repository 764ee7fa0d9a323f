from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Conversation, Preferences
from performance.cache import ai_response_cache

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
URL = "/settings/history/"


def test_both_can_be_switched_off_and_on(client: Client, alice: User) -> None:
    assert client.get(URL).content.decode().count('checkbox" checked') == 2
    client.post(URL, {})
    kept = Preferences.objects.get(user=alice)
    assert (kept.keep_history, kept.use_caches) == (False, False)
    assert client.get(URL).content.decode().count('checkbox" checked') == 0
    client.post(URL, {"keep_history": "on", "use_caches": "on"})
    assert client.get(URL).content.decode().count('checkbox" checked') == 2


@pytest.mark.django_db(transaction=True)
def test_without_caches_pages_come_from_the_database(
    client: Client, conversation: Conversation, django_assert_num_queries: Any
) -> None:
    client.post(URL, {"keep_history": "on"})
    for _ in range(2):
        client.get("/")
        client.get(conversation.get_absolute_url())
    Conversation.objects.filter(pk=conversation.pk).update(title="Changed behind the cache")
    with django_assert_num_queries(1):
        assert "Changed behind the cache" in client.get("/").content.decode()
    assert "Changed behind" in client.get(conversation.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_was_cached_before_is_forgotten(client: Client, alice: User) -> None:
    key = ai_response_cache.key(backend="default", model="m", messages=[])
    ai_response_cache.set(key, "Old.", user=alice.pk, complete=True, deterministic=True)
    client.post(URL, {"keep_history": "on"})
    assert ai_response_cache.get(key, user=alice.pk) is None


@pytest.mark.parametrize(
    ("keeps", "sent", "is_temporary"),
    [
        (True, {}, False),
        (False, {}, True),
        (False, {"temporary": ""}, False),
        (True, {"temporary": "on"}, True),
    ],
)
def test_how_a_conversation_begins(
    client: Client, alice: User, keeps: bool, sent: dict[str, str], is_temporary: bool
) -> None:
    Preferences.objects.change(alice, keep_history=keeps)
    client.post("/", {"text": "Hello", "key": str(uuid.uuid4()), **sent})
    assert Conversation.objects.get().temporary == is_temporary
