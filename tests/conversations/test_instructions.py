from __future__ import annotations

from conversations.instructions import system_prompt


def test_the_sites_alone() -> None:
    assert system_prompt("Site.", "", "") == "Site."


def test_the_users_before_the_conversations() -> None:
    told = system_prompt("Site.", "Mine.", "This one's.")
    assert told.index("Site.") < told.index("Mine.") < told.index("This one's.")


def test_without_any() -> None:
    assert system_prompt("", "", "") == ""
