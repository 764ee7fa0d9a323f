from __future__ import annotations

from typing import Any

from conversations.instructions import system_prompt


def test_the_sites_alone(settings: Any) -> None:
    settings.SYSTEM_PROMPT = "Site."
    assert system_prompt("", "") == "Site."


def test_the_users_before_the_conversations(settings: Any) -> None:
    settings.SYSTEM_PROMPT = "Site."
    told = system_prompt("Mine.", "This one's.")
    assert told.index("Site.") < told.index("Mine.") < told.index("This one's.")


def test_without_any(settings: Any) -> None:
    settings.SYSTEM_PROMPT = ""
    assert system_prompt("", "") == ""
