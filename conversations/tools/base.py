"""`@tool`: a typed function that the assistant may call, and the registry of them all."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints, overload

import msgspec

from conversations.ai.base import ToolSpec

TIMEOUT = 10.0


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
    "user" or "site". `acts` says that it changes something: each call waits until the user has
    allowed it, and its results are never reused. `timeout` is how long one call may take, in seconds. `wants_context` says
    that the function takes the caller's `ToolContext` as `context`.
    """

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[msgspec.Struct]
    version: int = 1
    ttl: int = 0
    scope: str = "user"
    timeout: float = TIMEOUT
    wants_context: bool = False
    acts: bool = False

    def __post_init__(self) -> None:
        if self.acts and self.ttl:
            raise ValueError(f"The tool {self.name} acts, so its results cannot be reused: ttl=0.")

    @property
    def spec(self) -> ToolSpec:
        """What the model is told of it."""
        return ToolSpec(self.name, self.description, _parameters(self.arguments))


@functools.cache
def _parameters(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of the arguments; building it takes a third of a millisecond."""
    (schema,), definitions = msgspec.json.schema_components([arguments])
    parameters = dict(definitions.pop(str(schema["$ref"]).rpartition("/")[2]))
    parameters.pop("title", None)
    if definitions:
        parameters["$defs"] = definitions
    return parameters


registry: dict[str, Tool] = {}


@overload
def tool[F: Callable[..., Any]](function: F) -> F: ...


@overload
def tool[F: Callable[..., Any]](**options: Any) -> Callable[[F], F]: ...


def tool(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Registers a function under its own name; the first paragraph of its docstring describes it.

    Its parameters become the arguments' JSON Schema (`Annotated[str, msgspec.Meta(...)]` adds
    limits and descriptions); one named `context` receives the `ToolContext` and is not shown.
    Options are the fields `version`, `ttl`, `scope`, `acts` and `timeout` of `Tool`. The function returns
    JSON-able data and may be a coroutine; a plain one runs on a thread and must not touch the
    database. Raises ValueError where two tools share a name.
    """
    if function is None:
        return lambda function: tool(function, **options)
    entry = Tool(
        name=function.__name__,
        description=_description(function),
        function=function,
        arguments=_arguments(function),
        wants_context="context" in inspect.signature(function).parameters,
        **options,
    )
    known = registry.setdefault(entry.name, entry)
    if known.function is not function:
        raise ValueError(f"Two tools are named {entry.name}.")
    return function


def _description(function: Callable[..., Any]) -> str:
    paragraph = (inspect.getdoc(function) or "").partition("\n\n")[0]
    if not paragraph:
        raise ValueError(f"The tool {function.__name__} needs a docstring: it is its description.")
    return " ".join(paragraph.split())


def _arguments(function: Callable[..., Any]) -> type[msgspec.Struct]:
    hints = get_type_hints(function, include_extras=True)
    fields: list[Any] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "context":
            continue
        field = (name, hints[name])
        required = parameter.default is parameter.empty
        fields.append(field if required else (*field, parameter.default))
    return msgspec.defstruct(
        f"{function.__name__}_arguments", fields, kw_only=True, forbid_unknown_fields=True
    )
