"""Answers that were given before: reused where everything they depended on is the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from conversations import tools
from conversations.ai.base import ChatRequest, Turn
from conversations.attempts import Attempt
from conversations.spent import Saved
from performance.cache import ai_response_cache, register


@register
@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, and what it took."""

    text: str
    tokens: int
    cost: Decimal


async def reuse(attempt: Attempt, request: ChatRequest) -> str | None:
    """The text of an earlier answer of this user's to the same request, if one may be shown."""
    going_on = bool(attempt.asked or attempt.begun)
    if going_on or attempt.reply.fresh or not attempt.keeps:
        return None
    found = await ai_response_cache.aget(_key(attempt, request), user=attempt.context.user_id)
    if found is None or not isinstance(found.value, KeptAnswer):
        return None
    attempt.outcome["cached_at"] = found.stored_at
    attempt.saved = Saved(found.value.tokens, found.value.cost)
    return str(found.value.text)


async def keep(attempt: Attempt, request: ChatRequest) -> None:
    """Keeps a complete answer, unless a tool had a part in it whose results do not last."""
    if not attempt.keeps:
        return
    await ai_response_cache.aset(
        _key(attempt, request),
        KeptAnswer(attempt.text, attempt.spent.tokens, attempt.spent.cost),
        user=attempt.context.user_id,
        complete=attempt.finish_reason == "stop",
        deterministic=attempt.lasting,
    )


def _key(attempt: Attempt, request: ChatRequest) -> str:
    """Backend, model, system prompt, the tools' versions and the messages before."""
    return ai_response_cache.key(
        backend=attempt.backend.alias,
        model=request.model,
        system=request.system,
        tools={spec.name: _version(spec.name) for spec in request.tools},
        messages=[_message(turn) for turn in request.turns],
    )


def _version(name: str) -> str:
    tool = tools.get(name)
    return str(tool.version) if tool else ""


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "text": turn.text}
    if turn.files:
        message["files"] = msgspec.to_builtins(turn.files)
    return message
