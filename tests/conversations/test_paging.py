from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import Http404

from conversations.models import Conversation
from conversations.paging import CONVERSATIONS, conversations_page
from tests.factories import ConversationFactory, UserFactory

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_all_conversations_come_once_though_many_share_a_time() -> None:
    user = UserFactory.create()
    for number in range(2 * CONVERSATIONS + 5):
        at = NOON + timedelta(microseconds=number // 20)
        ConversationFactory.create(user=user, last_message_at=at)
    seen: list[Conversation] = []
    cursor = ""
    for _ in range(3):
        page = conversations_page(user.conversations.all(), cursor)
        seen += page.rows
        cursor = page.next
    assert cursor == ""
    assert seen == list(user.conversations.all().newest_first())


@pytest.mark.django_db
def test_a_page_that_is_just_full_is_the_last() -> None:
    user = UserFactory.create()
    ConversationFactory.create_batch(CONVERSATIONS, user=user)
    page = conversations_page(user.conversations.all())
    assert len(page.rows) == CONVERSATIONS
    assert page.next == ""


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "1", "1.x", "9" * 40 + "." + "0" * 32, "²." + "0" * 32])
def test_a_cursor_that_is_none_is_not_found(cursor: str) -> None:
    with pytest.raises(Http404):
        conversations_page(Conversation.objects.all(), cursor)
