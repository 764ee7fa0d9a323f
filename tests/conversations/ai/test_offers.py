from __future__ import annotations

from typing import Any

import pytest

from conversations.ai import offers

SCRIPTED = "tests.backends.ScriptedBackend"
GUIDE = {"BACKEND": "conversations.ai.guide.GuideBackend"}
OPENAI: dict[str, Any] = {
    "BACKEND": "conversations.ai.openai.OpenAIBackend",
    "OPTIONS": {"base_url": "http://localhost/v1", "model": "big", "models": ["small", "big"]},
}


def titles() -> list[str]:
    return [offer.title for offer in offers.offers()]


def test_one_model_under_two_aliases_is_offered_once(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"default": GUIDE, "guide": GUIDE}
    assert titles() == ["Guide"]


def test_a_servers_models_and_the_guide(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"guide": GUIDE, "default": OPENAI}
    assert titles() == ["big", "small", "Guide"]
    assert [offer.key for offer in offers.offers()] == [
        "default/big",
        "default/small",
        "guide/guide",
    ]
    assert [offer.takes_system_prompt for offer in offers.offers()] == [True, True, False]


def test_a_label_of_its_own_stands_before_the_models(settings: Any) -> None:
    labelled = {**OPENAI, "OPTIONS": {**OPENAI["OPTIONS"], "label": "House"}}
    settings.CHAT_BACKENDS = {"default": labelled}
    assert titles() == ["House: big", "House: small"]
    labelled["OPTIONS"].pop("models")
    settings.CHAT_BACKENDS = {"default": labelled}
    assert titles() == ["House"]


@pytest.mark.parametrize("key", ["", "default/gone", "gone/big", "/", "nothing"])
def test_what_is_not_offered_is_the_sites_choice(settings: Any, key: str) -> None:
    settings.CHAT_BACKENDS = {"guide": GUIDE, "default": OPENAI}
    assert offers.chosen(key).title == "big"
    assert offers.known(key) == ""


def test_a_model_that_moved_to_another_alias_is_found(settings: Any) -> None:
    settings.CHAT_BACKENDS = {"default": OPENAI, "guide": GUIDE}
    found = offers.asked("default", "guide")
    assert found
    assert found.alias == "guide"
    assert offers.asked("default", "gone") is None
    assert offers.asked("gone", "") is None
    own = offers.asked("default", "")
    assert own
    assert own.model == "big"


def test_a_key_is_split_at_its_first_slash() -> None:
    assert offers.parts("default/meta/llama") == {"backend": "default", "model": "meta/llama"}
    assert offers.parts("") == {"backend": "default", "model": ""}
