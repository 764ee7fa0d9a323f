from __future__ import annotations

from typing import Any

import pytest

from conversations import markdown, reading, rendering
from conversations.models import Message, Role
from tests.factories import ConversationFactory, MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis")]


def test_html_of_an_old_renderer_is_made_anew_and_kept(django_assert_num_queries: Any) -> None:
    conversation = ConversationFactory.create()
    for role in (Role.USER, Role.ASSISTANT):
        MessageFactory.create(
            conversation=conversation, role=role, text="a\nb", html="old", renderer=1
        )
    expected = ["<p>a<br>\nb</p>\n", "<p>a\nb</p>\n"]

    page = reading.message_page(conversation.user, conversation.pk)

    assert [row.html for row in page.rows] == expected
    stored = Message.objects.order_by("pk")
    assert [(row.html, row.renderer) for row in stored] == [
        (html, markdown.RENDERER) for html in expected
    ]
    with django_assert_num_queries(1):
        rendering.current(conversation.messages.all())


def test_what_a_worker_wrote_meanwhile_stays() -> None:
    message = MessageFactory.create(text="early", html="old", renderer=1)
    Message.objects.update(text="late", html="<p>late</p>", renderer=markdown.RENDERER)

    rendering.current([message])

    assert Message.objects.get().html == "<p>late</p>"
