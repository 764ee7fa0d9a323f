from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conversations import edition, reading, settled
from conversations.models import Conversation, Permission, Reply, Role, Status
from performance.cache import conversation_cache
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory, ToolRunFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("cache_redis", "queue_redis"),
]


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory()
    for status in (Status.COMPLETE, Status.FAILED, Status.STOPPED):
        MessageFactory(conversation=made, text=f"<b> & {status}?")
        answer = MessageFactory(conversation=made, role=Role.ASSISTANT, text="Yes.")
        reply = ReplyFactory(message=answer, status=status, attempt=1, cached_at=timezone.now())
        ToolRunFactory(reply=reply, arguments='{"a": 1}', result='"x"')
    return made


def page(conversation: Conversation) -> reading.MessagePage:
    return reading.message_page(conversation.user, conversation.pk)


def shown(conversation: Conversation, query: str = "") -> str:
    client = Client()
    client.force_login(conversation.user)
    text = client.get(f"{conversation.get_absolute_url()}{query}").content.decode()
    secrets = r"""(nonce=|token" value=|value=|data-after=|hx-headers=)("[^"]*"|'[^']*')"""
    return re.sub(secrets, r"\1", text)


def test_a_page_is_the_same_from_the_cache_and_without_it(
    conversation: Conversation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = shown(conversation), shown(conversation)
    assert page(conversation).html
    settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
    without = shown(conversation)
    monkeypatch.setattr(settled, "html", lambda conversation, rows: "")
    assert first == again == without == shown(conversation)
    assert "&lt;b&gt; &amp; complete?" in first


def test_the_html_of_a_page_is_made_once(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(conversation)
    monkeypatch.setattr(settled, "html", lambda conversation, rows: pytest.fail("again"))
    assert "Yes." in page(conversation).html


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.ASKING])
def test_what_moves_by_itself_is_not_kept_as_html(
    conversation: Conversation, status: Status
) -> None:
    Reply.objects.filter(status=Status.FAILED).update(status=status)
    assert page(conversation).html == ""


def test_a_form_with_a_token_is_not_kept(conversation: Conversation) -> None:
    reply = conversation.messages.get(reply__status="stopped").reply
    reply.tool_runs.update(permission=Permission.ASKED)
    assert page(conversation).html == ""


def test_other_templates_are_another_page(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(conversation)
    monkeypatch.setattr(edition, "name", lambda: "other")
    monkeypatch.setattr(settled, "html", lambda conversation, rows: "anew")
    assert page(conversation).html == "anew"


def test_the_html_is_forgotten_with_the_conversation(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(conversation)
    conversation_cache.forget(conversation.user.pk, conversation.pk)
    monkeypatch.setattr(settled, "html", lambda conversation, rows: "anew")
    assert page(conversation).html == "anew"
