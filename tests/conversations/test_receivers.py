from __future__ import annotations

import threading
from typing import Any

import pytest

from conversations.ai.base import ChatBackend
from conversations.models import Attachment, Branch, Kind, Message, Rating, Reply, ToolRun
from performance.cache import conversation_cache
from performance.queues.signals import worker_started
from tests.factories import ConversationFactory, RatingFactory, ReplyFactory, ToolRunFactory

prepared = threading.Event()


class SlowToLoad(ChatBackend):
    def prepare(self) -> None:
        prepared.set()


def test_a_worker_that_starts_prepares_the_assistant(settings: Any) -> None:
    backend = f"{SlowToLoad.__module__}.{SlowToLoad.__qualname__}"
    settings.CHAT_BACKENDS = {"default": {"BACKEND": backend}}

    worker_started.send(object, worker="w")

    assert prepared.wait(5)


@pytest.mark.django_db(transaction=True)  # pages are forgotten when that commits
@pytest.mark.usefixtures("cache_redis")
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("model", [Rating, ToolRun, Reply, Message])
def test_pages_are_forgotten_with_each_row_that_is_deleted(model: Any, together: bool) -> None:
    reply = ReplyFactory.create(model="m")
    ToolRunFactory.create(reply=reply)
    RatingFactory.create(message=reply.message, model="m")
    owner, conversation = reply.message.conversation.user_id, reply.message.conversation_id
    before = conversation_cache.version(owner, conversation)
    (model.objects.all() if together else model.objects.get()).delete()
    assert conversation_cache.version(owner, conversation) != before


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("cache_redis")
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("model", [Attachment, Branch])
def test_and_with_a_file_or_a_branch(model: Any, together: bool) -> None:
    conversation = ConversationFactory.create()
    row = {"conversation": conversation}
    if model is Attachment:
        row |= {"user": conversation.user, "name": "a.txt", "kind": Kind.TEXT, "size": 1}
    found = model.objects.create(**row)
    before = conversation_cache.version(conversation.user_id, conversation.pk)
    (model.objects.all() if together else found).delete()
    assert conversation_cache.version(conversation.user_id, conversation.pk) != before
