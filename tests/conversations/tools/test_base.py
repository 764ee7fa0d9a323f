from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from conversations.tools import Tool, ToolContext, base
from conversations.tools.base import tool


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tool]:
    monkeypatch.setattr(base, "registry", {})
    return base.registry


def test_schema_comes_from_the_signature(registry: dict[str, Tool]) -> None:
    @tool
    def repeat(
        text: Annotated[str, msgspec.Meta(description="What to say.", max_length=9)],
        context: ToolContext,
        times: int = 2,
    ) -> str:
        """Says something
        again.

        Not for the model.
        """
        return text * times

    spec = registry["repeat"].spec
    assert spec.description == "Says something again."
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "What to say.", "maxLength": 9},
            "times": {"type": "integer", "default": 2},
        },
        "required": ["text"],
        "additionalProperties": False,
    }


def test_options_are_kept(registry: dict[str, Tool]) -> None:
    @tool(version=3, ttl=60, scope="site", timeout=1.5)
    def ping() -> str:
        """Answers."""
        return "pong"

    entry = registry["ping"]
    assert (entry.version, entry.ttl, entry.scope, entry.timeout) == (3, 60, "site", 1.5)
    assert not entry.wants_context


def test_two_tools_of_one_name_are_refused() -> None:
    def build() -> Any:
        @tool
        def twin() -> None:
            """Does nothing."""

        return twin

    build()
    with pytest.raises(ValueError, match="Two tools are named twin"):
        build()


def test_a_tool_must_describe_itself() -> None:
    with pytest.raises(ValueError, match="needs a docstring"):

        @tool
        def silent() -> None:
            pass
