"""`@tool`: a typed function that the assistant may call, and the registry of them all."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_type_hints, overload

import msgspec

from conversations.ai.base import ToolSpec


class ToolError(Exception):
    """A tool's refusal, in words for the model and the user. It is data, not a failure of ours."""


class ToolContext(msgspec.Struct, frozen=True):
    """Who the tool works for. A tool reads nothing that this user may not read."""

    user_id: int
    conversation_id: str
    time_zone: str = "UTC"


class Tool(msgspec.Struct, frozen=True):
    """A registered tool.

    `version` is part of the cache key: raise it when the same arguments give another result.
    `ttl` is how long a result may be reused, in seconds; 0 means never. `scope` says for whom:
    "user" or "site".
    """

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[msgspec.Struct]
    version: int = 1
    ttl: int = 0
    scope: str = "user"

    @property
    def spec(self) -> ToolSpec:
        """What the model is told of it."""
        schema = msgspec.json.schema(self.arguments)
        (parameters,) = schema["$defs"].values() if len(schema.get("$defs", {})) == 1 else (schema,)
        return ToolSpec(name=self.name, description=self.description, parameters=parameters)


registry: dict[str, Tool] = {}
