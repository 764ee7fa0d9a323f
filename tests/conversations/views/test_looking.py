from __future__ import annotations

import pytest
from django.test import Client

from conversations.models import Conversation
from tests.factories import MessageFactory


def address(conversation: Conversation) -> str:
    return f"/c/{conversation.pk}/look/"


def test_words_are_shown_where_they_stand(client: Client, conversation: Conversation) -> None:
    message = MessageFactory.create(conversation=conversation, text="Is <b>Brie</b> soft?")
    page = client.get(address(conversation), {"words": "brie"}).content.decode()
    assert "Is &lt;b&gt;<mark>Brie</mark>&lt;/b&gt; soft?" in page
    assert f'href="{message.get_absolute_url()}"' in page
    nothing = client.get(address(conversation), {"words": "wine"}).content.decode()
    assert "No message here has “<bdi>wine</bdi>” in it" in nothing


def test_a_day_is_gone_to(client: Client, conversation: Conversation) -> None:
    message = MessageFactory.create(conversation=conversation)
    response = client.get(address(conversation), {"day": "2020-01-01"})
    assert response["Location"] == message.get_absolute_url()
    never = client.get(address(conversation), {"day": "2999-01-01"})
    assert never.status_code == 422
    assert "Nothing was written in this conversation on that day" in never.content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"day": "soon"}, "Give the day as year-month-day"),
        ({"words": "x" * 201}, "200 can be searched for"),
        ({"words": "a\0b"}, "NUL"),
    ],
)
def test_what_cannot_be_looked_for_is_said(
    client: Client, conversation: Conversation, query: dict[str, str], words: str
) -> None:
    response = client.get(address(conversation), query)
    assert response.status_code == 422
    assert words in response.content.decode()


def test_nothing_asked_is_a_form(client: Client, conversation: Conversation) -> None:
    assert client.get(address(conversation)).status_code == 200
    assert client.get(address(conversation), {"words": "a", "before": "x"}).status_code == 404


def test_of_others_there_is_nothing(charlie: Client, conversation: Conversation) -> None:
    assert charlie.get(address(conversation), {"words": "a"}).status_code == 404
