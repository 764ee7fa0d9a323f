from __future__ import annotations

from typing import Any

from django.db import OperationalError

from chatsite.up import messages
from chatsite.up.preparation import Account

URL = "http://127.0.0.1:8000/"


def test_a_new_password_is_shown() -> None:
    text = messages.welcome(URL, Account("admin", "secret words"), str)
    assert URL in text
    assert "password secret words" in text
    assert "Ctrl-C" in text


def test_an_old_one_is_not_known_but_can_be_changed() -> None:
    text = messages.welcome(URL, Account("admin"), str)
    assert "changepassword admin" in text


def test_the_guide_says_how_to_connect_a_model(settings: Any) -> None:
    settings.LLM_BASE_URL = ""
    settings.CHAT_BACKENDS = {"default": settings.CHAT_BACKENDS["guide"]} | settings.CHAT_BACKENDS
    assert "LLM_BASE_URL=" in messages.welcome(URL, Account(""), str)


def test_a_connected_model_is_named(settings: Any) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = "http://models/v1", "big"
    assert "big at http://models/v1" in messages.welcome(URL, Account(""), str)


def test_a_database_elsewhere_is_named_by_its_setting() -> None:
    text = messages.database(OperationalError("refused\nmore"), embedded=False)
    assert text == "The database at DATABASE_URL failed: refused"


def test_root_is_told_calmly() -> None:
    assert "You are root" in messages.starting(as_root=True)
    assert "You are root" not in messages.starting(as_root=False)
