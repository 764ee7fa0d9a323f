from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync

from conversations import tools
from conversations.models import Conversation
from conversations.tools.base import Tool
from tests.factories import ConversationFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("queue_redis")]


def rename(conversation: Conversation, title: str, user_id: int | None = None) -> tools.ToolResult:
    context = tools.ToolContext(user_id or conversation.user_id, str(conversation.pk))
    arguments = f'{{"title": "{title}"}}'
    return async_to_sync(tools.run)("rename_conversation", arguments, context)


def test_it_names_its_conversation() -> None:
    conversation = ConversationFactory.create(title="Old")
    assert rename(conversation, " New  name").value == {"before": "Old", "title": "New name"}
    conversation.refresh_from_db()
    assert (conversation.title, conversation.title_is_chosen) == ("New name", True)


def test_others_conversations_do_not_exist() -> None:
    conversation = ConversationFactory.create(title="Old")
    assert "gone" in rename(conversation, "New", UserFactory.create().pk).error
    conversation.refresh_from_db()
    assert conversation.title == "Old"


@pytest.mark.parametrize("title", ["", " ", "x" * 121])
def test_a_name_that_cannot_be_is_refused(title: str) -> None:
    assert rename(ConversationFactory.create(), title).error


def test_results_of_what_acts_are_not_reused() -> None:
    found = tools.get("rename_conversation")
    assert found
    assert found.acts
    with pytest.raises(ValueError, match="ttl=0"):
        Tool("one", "", asyncio.sleep, found.arguments, acts=True, ttl=5)


def test_what_is_wrong_is_known_before() -> None:
    assert "no tool named" in tools.problem("nothing", "{}")
    assert "not valid" in tools.problem("rename_conversation", "{}")
    assert tools.problem("rename_conversation", '{"title": "A"}') == ""
