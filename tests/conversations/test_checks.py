from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from conversations.checks import check_chat_backends

GUIDE = {"BACKEND": "conversations.ai.guide.GuideBackend", "OPTIONS": {}}
OPENAI = "conversations.ai.openai.OpenAIBackend"


@pytest.mark.parametrize(
    ("backends", "ids"),
    [
        ({"default": GUIDE}, []),
        ({}, ["conversations.E001"]),
        ({"other": GUIDE}, ["conversations.E001"]),
        ({"default": {"BACKEND": "conversations.ai.gude.GuideBackend"}}, ["conversations.E002"]),
        ({"default": {"BACKEND": "conversations.ai.guide.Missing"}}, ["conversations.E002"]),
        ({"default": {"BACKEND": "no dots"}}, ["conversations.E002"]),
        ({"default": {}}, ["conversations.E002"]),
        ({"default": {"BACKEND": "pathlib.Path"}}, ["conversations.E002"]),
        ({"default": {"BACKEND": OPENAI, "OPTIONS": {}}}, ["conversations.E003"]),
        ({"default": {**GUIDE, "OPTIONS": {"prices": [1]}}}, ["conversations.E011"]),
        ({"default": {**GUIDE, "OPTIONS": {"prices": [1, -1]}}}, ["conversations.E011"]),
        (
            {
                "default": GUIDE,
                "m": {"BACKEND": OPENAI, "OPTIONS": {"base_url": "ftp://x", "model": "m"}},
            },
            ["conversations.E003"],
        ),
    ],
)
def test_chat_backends(settings: Settings, backends: dict[str, Any], ids: list[str]) -> None:
    settings.CHAT_BACKENDS = backends
    assert [message.id for message in check_chat_backends()] == ids


def test_the_key_is_not_repeated(settings: Settings) -> None:
    options = {"base_url": "http://user:hunter2@x", "model": "m", "api_key": "hunter2"}
    settings.CHAT_BACKENDS = {"default": {"BACKEND": OPENAI, "OPTIONS": options}}
    assert "hunter2" not in str(check_chat_backends())
