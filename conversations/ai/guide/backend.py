"""`GuideBackend`: rounds like any model's. It asks for tools, then puts their results into words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

from conversations.ai.base import ChatBackend, ChatRequest, Event, Finish, Text, ToolCall, Turn
from conversations.ai.embeddings import embed
from conversations.ai.guide import attached
from conversations.ai.guide.answers import Outcome, compose
from conversations.ai.guide.plans import Plan, Say, Use
from conversations.ai.guide.refusals import LACKING
from conversations.ai.guide.router import route

ROUNDS = 3  # of tools for one question


class GuideBackend(ChatBackend):
    """The embedded default: no account, no network, no OPTIONS."""

    label = "Guide"
    model = "guide"
    is_language_model = False
    takes_system_prompt = False

    def prepare(self) -> None:
        embed(["ready"])

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        # Embeddings are loaded from disk at the first use, so off the loop.
        plan = await asyncio.to_thread(plan_for, request)
        if isinstance(plan, Use):
            done = sum(turn.role == "tool" for turn in request.turns)
            for number, call in enumerate(plan.calls, start=done + 1):
                yield call.numbered(number)
            yield Finish("tool_calls")
            return
        # It says the same each time, so what is missing of an interrupted answer is known.
        begun = request.begun if plan.text.startswith(request.begun) else ""
        for block in blocks(plan.text.removeprefix(begun)):
            yield Text(block)
        yield Finish("stop")


def plan_for(request: ChatRequest) -> Plan:
    """What comes next: tools, or the answer out of what they gave."""
    at = max((at for at, turn in enumerate(request.turns) if turn.role == "user"), default=None)
    if at is None:
        return Say(LACKING)
    turn, later = request.turns[at], request.turns[at + 1 :]
    question = turn.text
    plan = attached.answer(question, turn, request.turns[:at]) if not later else None
    plan = plan or route(question, request.turns[:at])
    outcomes = _outcomes(later)
    if outcomes and isinstance(plan, Use):
        plan = compose(question, plan, outcomes)
    offered = {spec.name for spec in request.tools}
    if isinstance(plan, Use) and (len(outcomes) >= ROUNDS or not _is_offered(plan, offered)):
        return Say(LACKING)
    return plan


def blocks(text: str) -> list[str]:
    """The text in its Markdown blocks, each with the empty line that ends it."""
    return [part for part in re.split(r"(?<=\n\n)", text) if part]


def _outcomes(turns: tuple[Turn, ...]) -> list[Outcome]:
    calls: dict[str, ToolCall] = {call.id: call for turn in turns for call in turn.tool_calls}
    return [
        Outcome.read(calls[turn.tool_call_id], turn.text)
        for turn in turns
        if turn.role == "tool" and turn.tool_call_id in calls
    ]


def _is_offered(plan: Use, offered: set[str]) -> bool:
    return all(call.tool in offered for call in plan.calls)
