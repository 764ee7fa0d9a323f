"""A tool call of an attempt: allowed, from the cache or run, kept as a row, shown to those who watch."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from django.utils import timezone

from conversations import tools
from conversations.ai.base import ToolCall, Turn
from conversations.attempts import Attempt
from conversations.models import Permission, ToolRun
from conversations.streams import ReplyStream
from performance import tracing
from performance.cache import ToolCall as CachedCall
from performance.cache import tool_result_cache

TURNED_OFF = "This site's staff have turned this tool off. Answer without it."
CHANGED = "The tool is not the one that was allowed any more: ask again."
UNKNOWN = "It was begun and then interrupted. Whether it took effect is not known."


async def call(attempt: Attempt, asked: ToolCall, out: ReplyStream) -> Turn | None:
    """Answers one call of the model with the tool's result or its error.

    None where the tool acts: the row that is made here asks the user, and nothing runs before.
    """
    attempt.tool_count += 1
    number = attempt.tool_count
    tool = tools.get(asked.name)
    attempt.lasting = attempt.lasting and tool is not None and tool.ttl > 0
    off = asked.name in attempt.off
    if (
        tool is not None
        and tool.acts
        and not off
        and not tools.problem(asked.name, asked.arguments)
    ):
        run = _row(attempt, asked, permission=Permission.ASKED)
        # Of two values for one name a reader may see the other: the row holds what the tool will take.
        run.arguments = tools.exact(asked.name, asked.arguments)
        await run.asave()
        out.tool(number, asked.name, "asking")
        return None
    out.tool(number, asked.name, "running")
    run = _row(attempt, asked)
    result, run.cached_at = await _traced_result(attempt, asked)
    await _keep(run, result)
    out.tool(number, asked.name, "failed" if result.error else "done", run.milliseconds)
    return Turn("tool", result.text, tool_call_id=asked.id)


async def resume(attempt: Attempt, out: ReplyStream) -> None:
    """Runs what was allowed, and tells the model of it and of what was refused."""
    paused = attempt.runs[len(attempt.runs) - len(attempt.asked) :]
    for number, run in enumerate(attempt.runs, 1):
        if run in paused:
            await _settle(attempt, run, number, out)
        out.tool(number, run.name, "failed" if run.error else "done", run.milliseconds)
    for asked, run in zip(attempt.asked, paused, strict=True):
        text = msgspec.json.encode({"error": run.error}).decode() if run.error else run.result
        attempt.turns.append(Turn("tool", text, tool_call_id=asked.id))


async def _settle(attempt: Attempt, run: ToolRun, number: int, out: ReplyStream) -> None:
    """Runs an allowed call once. One that another worker has begun is not run again."""
    tool = tools.get(run.name)
    if run.permission == Permission.USED and not (run.result or run.error):
        await _keep(run, tools.ToolResult(error=UNKNOWN))
    if run.permission != Permission.GIVEN:
        return
    if run.name in attempt.off:
        await _keep(run, tools.ToolResult(error=TURNED_OFF))
    elif tool is None or tool.version != run.version:
        await _keep(run, tools.ToolResult(error=CHANGED))
    elif await run.ause_permission():
        out.tool(number, run.name, "running")
        run.started_at, run.permission = timezone.now(), Permission.USED
        await _keep(run, await tools.run(run.name, run.arguments, attempt.context))


def _row(
    attempt: Attempt, asked: ToolCall, permission: Permission = Permission.NOT_NEEDED
) -> ToolRun:
    tool = tools.get(asked.name)
    return ToolRun(
        reply=attempt.reply,
        attempt=attempt.number,
        name=asked.name[:100],
        version=tool.version if tool else 0,
        arguments=asked.arguments,
        permission=permission,
    )


async def _keep(run: ToolRun, result: tools.ToolResult) -> None:
    run.milliseconds = round((timezone.now() - run.started_at) / timedelta(milliseconds=1))
    run.result = "" if result.error else result.text
    run.error = result.error.replace("\0", "\ufffd")
    await run.asave()


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
    if asked.name in attempt.off:
        return tools.ToolResult(error=TURNED_OFF), None
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
    if tool is None or tool.ttl <= 0 or not attempt.keeps:
        return None
    try:
        arguments = msgspec.json.decode(asked.arguments or "{}", type=dict)
    except msgspec.DecodeError:
        return None
    user = None if tool.scope == "site" else attempt.context.user_id
    return CachedCall(tool.name, tool.version, arguments, user)
