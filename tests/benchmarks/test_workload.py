from __future__ import annotations

import inspect
import re

import pytest

from conversations import reading
from conversations.forms import SearchForm
from conversations.models import Conversation
from tests.benchmarks import cached_chat, visitors

pytestmark = pytest.mark.django_db


def test_the_seeded_messages_are_such_as_pages_show() -> None:
    """The rows are written by SQL, which no migration keeps up with the models."""
    cached_chat.seed(users=2, per_user=3, each=4)
    assert Conversation.objects.count() == 6
    conversation = Conversation.objects.select_related("user").all()[0]
    page = reading.message_page(conversation.user, conversation.pk)
    assert [row.role for row in page.rows] == ["user", "assistant"] * 2
    assert all(row.html for row in page.rows if row.role == "assistant")


def test_visitors_search_for_something() -> None:
    (name,) = re.findall(r'"/search/\?(\w+)=', inspect.getsource(visitors))
    assert name in SearchForm.base_fields
