from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as site
from django.db import connection
from django.test import Client

from conversations.streams import access
from tests.factories import ConversationFactory


def _look(session: str, conversation: UUID) -> tuple[int | None, int]:
    return access._owner(session, conversation), len(connection.queries_log)


@pytest.mark.django_db(transaction=True)
def test_a_look_leaves_no_statement_in_memory(settings: Any) -> None:
    """With DEBUG on, Django forgets them when a request begins, which these threads never see."""
    settings.DEBUG = True
    conversation, client = ConversationFactory.create(), Client()
    client.force_login(conversation.user)
    session = client.cookies[site.SESSION_COOKIE_NAME].value
    with ThreadPoolExecutor(1) as executor:
        found = executor.submit(_look, session, conversation.pk).result()
    assert found == (conversation.user.pk, 0)
