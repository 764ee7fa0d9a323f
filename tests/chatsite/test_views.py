from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation
from tests.factories import UserFactory

KEY = "00000000-0000-4000-8000-000000000004"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(db: None) -> Client:
    """A browser whose forms have no token that fits."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(UserFactory.create())
    return client


def test_an_expired_form_can_be_sent_again(client: Client) -> None:
    form = {"text": "What is <Brie>?", "key": KEY}
    response = client.post("/", form, headers=OWN)
    text = response.content.decode()
    assert response.status_code == 403
    assert "What is &lt;Brie&gt;?</textarea>" in text
    token = response.context["csrf_token"]
    again = client.post("/", {**form, "csrfmiddlewaretoken": str(token)}, headers=OWN)
    assert again.status_code == 303
    assert Conversation.objects.get().messages.first() is not None


def test_where_the_browser_names_only_the_origin(client: Client) -> None:
    response = client.post("/", {"text": "Brie"}, headers={"Origin": "http://testserver"})
    assert "Send again" in response.content.decode()


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_a_form_of_another_site_is_not_offered_for_sending(
    client: Client, headers: dict[str, str]
) -> None:
    response = client.post("/", {"text": "Give me money"}, headers=headers)
    assert response.status_code == 403
    assert "Send again" not in response.content.decode()


def test_a_password_is_never_shown_again(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    form = {"login": "alice", "password": "correct horse"}
    response = client.post("/accounts/login/", form, headers=OWN)
    assert response.status_code == 403
    assert b"correct horse" not in response.content


def test_scripts_get_one_sentence(client: Client) -> None:
    response = client.post("/", {"text": "Brie"}, headers={"HX-Request": "true"})
    assert response.status_code == 403
    assert response.content == b"The form has expired."


def test_what_is_larger_than_any_message_is_refused(client: Client, settings: Any) -> None:
    text = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    response = client.post("/", {"text": text, "key": KEY})
    assert response.status_code == 413
    assert b"32,000 characters" in response.content
    assert not Conversation.objects.exists()


def test_a_host_that_is_not_ours_is_a_bad_request(db: None) -> None:
    response = Client(raise_request_exception=False).get("/", headers={"host": "evil.example"})
    assert response.status_code == 400


@pytest.mark.parametrize("address", ["/nonsense/", "/c/nonsense/"])
def test_what_is_not_there(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert b"There is nothing here" in response.content


def test_an_error_of_ours_says_so_without_a_database(client: Client, monkeypatch: Any) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("conversations.reading.conversation_page", fail)
    response = client.get("/")
    assert response.status_code == 500
    assert b"Something went wrong here" in response.content
