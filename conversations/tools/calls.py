"""One call of a tool: find it, validate, run within its time, cut what is too long."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import pkgutil
from typing import Any

import msgspec
import structlog

import conversations.tools
from conversations.ai.base import ToolSpec
from conversations.tools.base import Tool, ToolContext, ToolError, registry

MAX_ARGUMENTS = 64_000
MAX_RESULT = 24_000

logger = structlog.get_logger(__name__)


class ToolResult(msgspec.Struct, frozen=True):
    """What came back: `value` (JSON-able), or `error` in words for the model and the user."""

    value: Any = None
    error: str = ""
    truncated: bool = False

    @property
    def text(self) -> str:
        """The JSON text that the chat backend gets as the tool's turn."""
        data = {"error": self.error} if self.error else self.value
        return msgspec.json.encode(data).decode()


@functools.cache
def discover() -> None:
    """Imports every module of this package, so that each `@tool` in it is registered."""
    for module in pkgutil.iter_modules(conversations.tools.__path__):
        importlib.import_module(f"conversations.tools.{module.name}")


def get(name: str) -> Tool | None:
    """The tool of that name, or None."""
    discover()
    return registry.get(name)


def every() -> tuple[Tool, ...]:
    """All tools, by name."""
    discover()
    return tuple(registry[name] for name in sorted(registry))


def specs(off: frozenset[str] = frozenset()) -> tuple[ToolSpec, ...]:
    """The tools as a model is told of them, by name; without those that are `off`."""
    return tuple(tool.spec for tool in every() if tool.name not in off)


def problem(name: str, arguments: str) -> str:
    """What is wrong with a call before it is run, or ""."""
    tool = get(name)
    if tool is None:
        return f"There is no tool named {name[:100]}."
    try:
        _decode(tool, arguments)
    except ToolError as error:
        return str(error)
    except msgspec.DecodeError as error:
        return f"The arguments are not valid: {error}."
    return ""


def exact(name: str, arguments: str) -> str:
    """The arguments of a valid call as the tool takes them, defaults and all: what a user allows."""
    tool = registry[name]
    return msgspec.json.encode(_decode(tool, arguments)).decode()


async def run(name: str, arguments: str, context: ToolContext) -> ToolResult:
    """Calls the tool with `arguments` (JSON text). What goes wrong in it becomes `error`."""
    tool = get(name)
    if tool is None:
        return ToolResult(error=f"There is no tool named {name[:100]}.")
    try:
        value = await asyncio.wait_for(_call(tool, arguments, context), tool.timeout)
        return _bounded(msgspec.json.encode(value))
    except ToolError as error:
        return ToolResult(error=str(error))
    except msgspec.DecodeError as error:
        return ToolResult(error=f"The arguments are not valid: {error}.")
    except TimeoutError:
        return ToolResult(error=f"The tool took longer than {tool.timeout:g} seconds.")
    except Exception:
        logger.exception("tool_failed", tool=name)
        return ToolResult(error="The tool failed because of a fault of its own.")


async def _call(tool: Tool, arguments: str, context: ToolContext) -> Any:
    values = msgspec.structs.asdict(_decode(tool, arguments))
    if tool.wants_context:
        values["context"] = context
    if inspect.iscoroutinefunction(tool.function):
        return await tool.function(**values)
    return await asyncio.to_thread(tool.function, **values)


def _decode(tool: Tool, arguments: str) -> msgspec.Struct:
    if len(arguments) > MAX_ARGUMENTS:
        raise ToolError("The arguments are too long.")
    # Models send "5" for 5 now and then, and nothing at all where nothing is needed.
    return msgspec.json.decode(arguments.strip() or "{}", type=tool.arguments, strict=False)


def _bounded(encoded: bytes) -> ToolResult:
    if len(encoded) <= MAX_RESULT:
        return ToolResult(value=msgspec.json.decode(encoded))
    text = encoded[:MAX_RESULT].decode(errors="ignore")
    return ToolResult(value={"truncated": True, "beginning": text}, truncated=True)
