from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from conversations import tools
from conversations.tools import ToolContext, ToolError, ToolResult
from conversations.tools.base import registry, tool
from conversations.tools.calls import MAX_RESULT

CONTEXT = ToolContext(user_id=1, conversation_id="c")


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers functions for one test."""
    tools.specs()

    def add(function: Callable[..., Any], **options: Any) -> None:
        tool(**options)(function)
        known = registry.pop(function.__name__)
        monkeypatch.setitem(registry, function.__name__, known)

    return add


def call(name: str, arguments: str = "{}") -> ToolResult:
    return asyncio.run(tools.run(name, arguments, CONTEXT))


def test_arguments_and_context_reach_the_function(register: Callable[..., None]) -> None:
    async def add(left: int, right: int, context: ToolContext) -> dict[str, int]:
        """Adds."""
        return {"sum": left + right, "for": context.user_id}

    register(add)
    assert call("add", '{"left": 1, "right": "2"}').value == {"sum": 3, "for": 1}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ('{"left": "x"}', "Expected `int`"),
        ("{}", "missing required field `left`"),
        ('{"left": 1, "user_id": 2}', "unknown field `user_id`"),
        ("not json", "not valid"),
        ('{"left": ' + "1" * 70_000 + "}", "too long"),
    ],
)
def test_bad_arguments_come_back_as_an_error(
    register: Callable[..., None], arguments: str, complaint: str
) -> None:
    def negate(left: int) -> int:
        """Negates."""
        return -left

    register(negate)
    result = call("negate", arguments)
    assert complaint in result.error
    assert json.loads(result.text) == {"error": result.error}


def test_unknown_tool() -> None:
    assert call("rm_rf").error == "There is no tool named rm_rf."


def test_a_refusal_keeps_its_words(register: Callable[..., None]) -> None:
    def refuse() -> None:
        """Refuses."""
        raise ToolError("Not today.")

    register(refuse)
    assert call("refuse").error == "Not today."


def test_a_fault_is_logged_but_not_told(
    register: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def crash() -> None:
        """Crashes."""
        raise RuntimeError("hunter2")

    register(crash)
    result = call("crash")
    assert result.error
    assert "hunter2" not in result.error
    assert "tool_failed" in caplog.text


@pytest.mark.parametrize("is_coroutine", [True, False])
def test_a_tool_that_hangs_is_left(register: Callable[..., None], is_coroutine: bool) -> None:
    async def hang() -> None:
        """Hangs."""
        await asyncio.sleep(60)

    def hang_on_a_thread() -> None:
        """Hangs."""
        time.sleep(0.3)

    function = hang if is_coroutine else hang_on_a_thread
    register(function, timeout=0.05)
    assert call(function.__name__).error == "The tool took longer than 0.05 seconds."


def test_a_huge_result_is_cut(register: Callable[..., None]) -> None:
    def shout() -> list[str]:
        """Shouts."""
        return ["ä" * 1000] * 5000

    register(shout)
    result = call("shout")
    assert result.truncated
    assert len(result.text.encode()) < 2 * MAX_RESULT


def test_a_result_that_is_not_data_is_a_fault(register: Callable[..., None]) -> None:
    def leak() -> object:
        """Leaks."""
        return object()

    register(leak)
    assert call("leak").error


def test_empty_arguments_mean_none(register: Callable[..., None]) -> None:
    def ping() -> str:
        """Answers."""
        return "pong"

    register(ping)
    assert call("ping", "").value == "pong"
