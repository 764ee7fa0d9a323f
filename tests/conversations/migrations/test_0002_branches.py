from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

from conversations.models import Branch, Conversation, Message
from tests.factories import ConversationFactory, MessageFactory

WITHOUT_BRANCHES = """
ALTER TABLE conversations_message ALTER branch_id DROP NOT NULL, ALTER place DROP NOT NULL;
UPDATE conversations_message SET branch_id = NULL, place = NULL;
DELETE FROM conversations_branch;
"""


@pytest.mark.django_db
def test_a_conversation_of_old_becomes_one_branch_in_its_order() -> None:
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_BRANCHES.splitlines()[1])
    conversations: list[Conversation] = ConversationFactory.create_batch(2)
    empty = ConversationFactory.create()
    for number in range(6):  # of both in turn
        MessageFactory.create(conversation=conversations[number % 2], text=str(number))
    with connection.cursor() as cursor:
        for statement in WITHOUT_BRANCHES.splitlines()[2:]:
            cursor.execute(statement)
        cursor.execute(import_module("conversations.migrations.0002_branches").ONE_BRANCH_EACH)

    for start, conversation in enumerate(conversations):
        branch = conversation.branches.get()
        assert (branch.parent, branch.fork) == (None, 0)
        assert branch.shown_at == conversation.last_message_at
        rows = Message.objects.filter(branch=branch).order_by("place")
        assert [(row.place, row.text) for row in rows] == [
            (place + 1, str(start + 2 * place)) for place in range(3)
        ]
    assert not Branch.objects.filter(conversation=empty).exists()
