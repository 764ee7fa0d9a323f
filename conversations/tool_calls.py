"""A tool call of an attempt: from the cache or run, kept as a row, shown to those who watch."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.utils import timezone

from conversations import tools
from conversations.ai.base import ToolCall, Turn
from conversations.attempts import Attempt
from conversations.models import ToolRun
from conversations.streams import ReplyStream
from performance import tracing
from performance.cache import ToolCall as CachedCall
from performance.cache import tool_result_cache


async def call(attempt: Attempt, asked: ToolCall, out: ReplyStream) -> Turn:
    """Answers one call of the model with the tool's result or its error."""
    attempt.tool_count += 1
    number = attempt.tool_count
    out.tool(number, asked.name, "running")
    started_at = timezone.now()
    result, cached_at = await _traced_result(attempt, asked)
    milliseconds = round((timezone.now() - started_at).total_seconds() * 1000)
    out.tool(number, asked.name, "failed" if result.error else "done", milliseconds)
    tool = tools.get(asked.name)
    attempt.lasting = attempt.lasting and tool is not None and tool.ttl > 0
    await ToolRun.objects.acreate(
        reply=attempt.reply,
        attempt=attempt.number,
        name=asked.name[:100],
        version=tool.version if tool else 0,
        arguments=asked.arguments,
        result="" if result.error else result.text,
        error=result.error.replace("\0", "\ufffd"),
        started_at=started_at,
        milliseconds=milliseconds,
        cached_at=cached_at,
    )
    return Turn("tool", result.text, tool_call_id=asked.id)


async def _traced_result(
    attempt: Attempt, asked: ToolCall
) -> tuple[tools.ToolResult, datetime | None]:
    """As _result. A name that the model made up stays out of the trace."""
    name = asked.name if tools.get(asked.name) else "(unknown)"
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
    with tracing.span(f"execute_tool {name}", attributes) as span:
        result, cached_at = await _result(attempt, asked)
        span.set({"cached": cached_at is not None})
        if result.error:
            span.fail("tool_error")
        return result, cached_at


async def _result(attempt: Attempt, asked: ToolCall) -> tuple[tools.ToolResult, datetime | None]:
    """The result, and when it was made if it comes from the cache."""
    cached = _cached_call(attempt, asked)
    found = await tool_result_cache.aget(cached) if cached else None
    if found is not None:
        return tools.ToolResult(value=msgspec.json.decode(found.value)), found.stored_at
    result = await tools.run(asked.name, asked.arguments, attempt.context)
    tool = tools.get(asked.name)
    if cached and tool and not result.error:
        await tool_result_cache.aset(cached, result.text, ttl=tool.ttl)
    return result, None


def _cached_call(attempt: Attempt, asked: ToolCall) -> CachedCall | None:
    """The cache's name for this call; None where the tool's results are not to be kept."""
    tool = tools.get(asked.name)
    if tool is None or tool.ttl <= 0:
        return None
    try:
        arguments = msgspec.json.decode(asked.arguments or "{}", type=dict)
    except msgspec.DecodeError:
        return None
    user = None if tool.scope == "site" else attempt.context.user_id
    return CachedCall(tool.name, tool.version, arguments, user)
