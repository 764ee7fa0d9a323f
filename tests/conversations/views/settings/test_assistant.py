from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import SYSTEM_PROMPT_LENGTH, Preferences

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_redis", "queue_redis")]
URL = "/settings/assistant/"


@pytest.fixture
def two_models(settings: Any) -> None:
    settings.CHAT_BACKENDS = {
        "default": {
            "BACKEND": "tests.backends.ScriptedBackend",
            "OPTIONS": {"models": ["big", "small"]},
        }
    }


@pytest.mark.usefixtures("two_models")
def test_what_was_chosen_stands_there(client: Client, alice: User) -> None:
    data = {"chat_model": "default/small", "system_prompt": "Answer in rhyme.\r\nAlways."}
    assert client.post(URL, data).status_code == 303
    page = client.get(URL).content.decode()
    assert '<option value="default/small" selected>' in page
    assert "Answer in rhyme.\nAlways.</textarea>" in page
    assert Preferences.objects.get(user=alice).system_prompt == "Answer in rhyme.\nAlways."


def test_where_one_model_is_connected_there_is_no_choice(client: Client) -> None:
    page = client.get(URL).content.decode()
    assert "<select" not in page
    assert "Guide takes no instructions" in page


@pytest.mark.usefixtures("two_models")
def test_a_model_that_takes_instructions_does_not_say_otherwise(client: Client) -> None:
    assert "takes no instructions" not in client.get(URL).content.decode()


def test_too_long_is_refused_with_the_numbers_and_kept_in_the_box(client: Client) -> None:
    text = "ü" * (SYSTEM_PROMPT_LENGTH + 1)
    response = client.post(URL, {"system_prompt": text})
    assert response.status_code == 422
    page = response.content.decode()
    assert "have 4001 characters; 4000 are allowed" in page
    assert text in page
    assert not Preferences.objects.exists()


def test_as_long_as_is_allowed_counts_characters_not_bytes(client: Client) -> None:
    assert client.post(URL, {"system_prompt": "😀" * SYSTEM_PROMPT_LENGTH}).status_code == 303


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"chat_model": "default/none"}, "no model “default/none”"),
        ({"system_prompt": "a\0b"}, "invisible NUL"),
    ],
)
def test_what_cannot_be_is_refused(client: Client, data: dict[str, str], words: str) -> None:
    response = client.post(URL, data)
    assert response.status_code == 422
    assert words in response.content.decode()


@pytest.mark.usefixtures("two_models")
def test_a_model_that_is_gone_is_said_to_be(client: Client, alice: User) -> None:
    Preferences.objects.change(alice, chat_model="default/gone")
    page = client.get(URL).content.decode()
    assert (
        "“default/gone”, which you chose, is not offered any more. Scripted: big answers instead."
        in page
    )
