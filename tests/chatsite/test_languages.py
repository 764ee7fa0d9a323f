from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from chatsite.languages import offered
from conversations.models import Preferences
from tests.factories import ConversationFactory, MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]

GERMAN = {"headers": {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}}
LANGUAGE = "/settings/language/"


@pytest.fixture
def alice(client: Client) -> Any:
    alice = UserFactory.create(username="alice")
    client.force_login(alice)
    return alice


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("de", "de"),
        ("de-CH, en", "de"),
        ("fr, de;q=0.5", "de"),
        ("fr", "en"),
        ("", "en"),
        ("\x7f", "en"),
    ],
)
def test_the_browser_is_asked(client: Client, asked: str, language: str) -> None:
    response = client.get("/help/", headers={"accept-language": asked})
    assert f'<html lang="{language}" dir="ltr"' in response.text
    assert response["Content-Language"] == language


def test_the_answer_says_what_it_depends_on(client: Client, alice: Any) -> None:
    for page in ("/", "/help/", "/nothing/here/"):
        varies = client.get(page)["Vary"].lower()
        assert "accept-language" in varies
        assert "cookie" in varies


def test_a_choice_goes_before_the_browsers(client: Client) -> None:
    chosen = client.post(LANGUAGE, {"language": "en", "next": "/help/guide/"}, **GERMAN)
    assert (chosen.status_code, chosen["Location"]) == (303, "/help/guide/")
    assert client.get("/help/", **GERMAN)["Content-Language"] == "en"


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_a_choice_leads_nowhere_else(client: Client, next_page: str) -> None:
    assert client.post(LANGUAGE, {"language": "de", "next": next_page})["Location"] == LANGUAGE
    assert "evil" not in client.get(LANGUAGE, {"next": next_page}).text


def test_a_users_choice_is_theirs_on_every_device(client: Client, alice: Any) -> None:
    client.post(LANGUAGE, {"language": "de"})
    other = Client()
    other.force_login(alice)
    assert other.get("/")["Content-Language"] == "de"
    other.post(LANGUAGE, {"language": ""})
    assert other.get("/")["Content-Language"] == "en"


def test_the_pages_before_a_log_in_keep_it(client: Client, alice: Any) -> None:
    client.post(LANGUAGE, {"language": "de"})
    client.post("/accounts/logout/")
    assert client.get("/")["Content-Language"] == "de"


def test_a_language_that_is_no_longer_offered_is_no_choice(
    client: Client, alice: Any, settings: Any
) -> None:
    Preferences.objects.change(alice, language="fr")
    assert client.get("/", **GERMAN)["Content-Language"] == "de"


@pytest.mark.parametrize("language", ["tlh", "en\0"])
def test_no_such_language(client: Client, language: str) -> None:
    response = client.post(LANGUAGE, {"language": language})
    assert response.status_code == 422
    assert "language" not in client.cookies
    assert 'role="alert"' in response.text


def test_the_staffs_pages_are_english(admin_client: Client) -> None:
    response = admin_client.get("/admin/", **GERMAN)
    assert response["Content-Language"] == "en"
    assert "Log out" in response.text


def test_what_one_reads_in_one_language_is_not_kept_for_another(client: Client, alice: Any) -> None:
    conversation = ConversationFactory.create(user=alice)
    MessageFactory.create(conversation=conversation)
    url = conversation.get_absolute_url()
    english, german = client.get(url), client.get(url, **GERMAN)
    assert '<html lang="en"' in english.text
    assert '<html lang="de"' in german.text
    assert client.get(url).text.count(">You<") == english.text.count(">You<") > 0


def test_a_language_costs_no_query(
    client: Client, alice: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        Client().get(reverse("conversations:help"), **GERMAN)


def test_languages_that_nobody_knows() -> None:
    with pytest.raises(ImproperlyConfigured, match="tlh"):
        offered(["en", "tlh"])


def test_who_asks_the_guide_in_german_is_told_its_language(client: Client, alice: Any) -> None:
    assert (
        "Der Guide versteht und beantwortet Fragen auf Englisch." in client.get("/", **GERMAN).text
    )
    assert "The Guide understands" not in client.get("/").text
