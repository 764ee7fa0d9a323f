"""The page of a database that is away: the same for everybody, with what was typed, and made without it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db
KEY = "00000000-0000-4000-8000-000000000009"
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(params=[True, False], ids=["debug", "production"])
def client(request: pytest.FixtureRequest, settings: Any, monkeypatch: Any) -> Client:
    """Of a signed-in user whose database has just gone away."""
    settings.DEBUG = request.param
    client = Client(raise_request_exception=False)
    client.force_login(ConversationFactory.create().user)

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("canary: it is away")

    for name in ("reading.conversation_page", "sending.start"):
        monkeypatch.setattr(f"conversations.{name}", fail)
    return client


def test_a_page_says_so_and_looks_again_by_itself(client: Client) -> None:
    response = client.get("/")
    text = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Not available just now" in text
    assert "again.js" in text
    assert "canary" not in text
    assert "Content-Security-Policy" in response.headers


def test_a_text_that_was_posted_stands_there_and_can_be_sent_again(client: Client) -> None:
    response = client.post("/", {"text": "my <long> text", "key": KEY}, headers=SAME)
    text = response.content.decode()
    assert response.status_code == 503
    assert "my &lt;long&gt; text</textarea>" in text
    assert f'name="key" value="{KEY}"' in text
    assert "csrfmiddlewaretoken" in text
    assert "again.js" not in text


def test_a_text_from_elsewhere_is_shown_but_not_offered_for_sending(client: Client) -> None:
    response = client.post("/", {"text": "spam", "key": KEY}, headers={"Sec-Fetch-Site": "none"})
    text = response.content.decode()
    assert "readonly>spam</textarea>" in text
    assert "Send again" not in text


def test_scripts_get_one_sentence(client: Client) -> None:
    response = client.post("/", {"text": "x", "key": KEY}, headers={"HX-Request": "true"})
    assert response.status_code == 503
    assert response.content.startswith(b"The site is busy.")
