from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation
from tests.factories import ConversationFactory, UserFactory


@pytest.fixture
def alice(db: None) -> Any:
    """Owns what is asked for."""
    return UserFactory.create(username="alice")


@pytest.fixture
def client(alice: Any) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def charlie(db: None) -> Client:
    """The browser of somebody who must see nothing of Alice's."""
    client = Client()
    client.force_login(UserFactory.create(username="charlie"))
    return client


@pytest.fixture
def conversation(alice: Any) -> Conversation:
    return ConversationFactory.create(user=alice, title="Cheese")
