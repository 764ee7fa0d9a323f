"""Pages that were rendered for an earlier request: the same for their reader, with a token and key of their own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from conversations import prepared
from conversations.models import Conversation, Role, Status
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]

OWN = re.compile(r'(name="(?:csrfmiddlewaretoken|key)"[^>]*? value=|data-after=)"[^"]*"')


@pytest.fixture
def conversation() -> Conversation:
    made: Conversation = ConversationFactory(title='<Cheese> & "wine"')
    MessageFactory(conversation=made, text="Brie?")
    answer = MessageFactory(conversation=made, role=Role.ASSISTANT, text="Yes.")
    ReplyFactory(message=answer, status=Status.COMPLETE, attempt=1)
    return made


@pytest.fixture
def client(conversation: Conversation) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(conversation.user)
    return client


def text(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def field(html: str, name: str) -> set[str]:
    return set(re.findall(rf'name="{name}"[^>]* value="([^"]*)"', html))


@pytest.fixture
def urls(conversation: Conversation) -> list[str]:
    return ["/", conversation.get_absolute_url()]


def test_it_is_the_page_that_would_be_rendered(
    client: Client, urls: list[str], settings: Any
) -> None:
    for url in urls:
        first, again = text(client, url), text(client, url)
        settings.PERFORMANCE = {"CACHE": {"ENABLED": False}}
        without = text(client, url)
        del settings.PERFORMANCE
        assert OWN.sub(r"\1", first) == OWN.sub(r"\1", again) == OWN.sub(r"\1", without)
        assert "&lt;Cheese&gt; &amp;" in again
        assert "\0" not in first + again


def test_it_is_rendered_once(
    client: Client, urls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in urls:
        text(client, url)
    monkeypatch.setattr(prepared, "render_to_string", lambda *_: pytest.fail("again"))
    assert [client.get(url).status_code for url in urls] == [200, 200]


def test_its_forms_can_be_sent_each_once(
    client: Client, urls: list[str], conversation: Conversation
) -> None:
    for url in urls:
        first, again = text(client, url), text(client, url)
        assert len(field(again, "key")) == len(field(again, "csrfmiddlewaretoken")) == 1
        assert field(first, "key") != field(again, "key")
        (token,), (key,) = field(again, "csrfmiddlewaretoken"), field(again, "key")
        data = {"text": "More?", "key": key, "csrfmiddlewaretoken": token}
        where = url if url == "/" else f"{url}messages/"
        assert client.post(where, data).status_code == 303
        refused = client.post(where, data | {"csrfmiddlewaretoken": "x" * 64})
        assert refused.status_code == 403


def test_the_token_is_that_of_the_browser_that_asks(
    client: Client, conversation: Conversation
) -> None:
    """Two browsers of one user share the page and not the token."""
    other = Client(enforce_csrf_checks=True)
    other.force_login(conversation.user)
    text(client, "/")
    (token,) = field(text(other, "/"), "csrfmiddlewaretoken")
    data = {"text": "More?", "csrfmiddlewaretoken": token}
    assert client.post("/", data).status_code == 403
    assert other.post("/", data).status_code == 303


def test_what_was_typed_is_nobody_elses_page(client: Client, urls: list[str]) -> None:
    token = field(text(client, "/"), "csrfmiddlewaretoken").pop()
    data = {"text": "x" * 40_000, "key": "", "csrfmiddlewaretoken": token}
    for url in urls:
        where = url if url == "/" else f"{url}messages/"
        assert client.post(where, data).status_code == 422
        assert "x" * 40 not in text(client, url)
