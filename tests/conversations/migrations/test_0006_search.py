from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

from conversations.models import Message, SearchEntry
from tests.factories import MessageFactory

search = import_module("conversations.migrations.0006_search")


@pytest.mark.django_db
def test_messages_of_old_can_be_found() -> None:
    messages: list[Message] = [MessageFactory.create(text=text) for text in ("Brie", "", "Gouda")]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(search.LEAVE)
        cursor.execute("DELETE FROM conversations_searchentry")
        cursor.execute(search.KEEP)
    found = SearchEntry.objects.order_by("pk").values_list("message", "user", "document")
    assert list(found) == [
        (messages[0].pk, messages[0].conversation.user_id, "'brie':1"),
        (messages[2].pk, messages[2].conversation.user_id, "'gouda':1"),
    ]
