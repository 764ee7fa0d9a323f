"""Tokens of a request: as the provider counts them, or estimated where it does not say."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from conversations.ai.base import ChatRequest, Turn

BYTES = 4  # of UTF-8 in a token, on average over models and languages
FRAME = 4  # tokens that the provider's format adds to each turn


def estimate(*texts: str) -> int:
    """About how many tokens these texts are."""
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return -(-size // BYTES)


def of_turns(turns: Iterable[Turn]) -> int:
    """About how many tokens these turns are, the calls in them included."""
    return sum(
        FRAME + estimate(turn.text, *(call.name + call.arguments for call in turn.tool_calls))
        for turn in turns
    )


def of_request(request: ChatRequest) -> int:
    """About how many tokens the provider reads: system prompt, tools, turns, what is to be continued."""
    tools = msgspec.json.encode(request.tools).decode() if request.tools else ""
    return of_turns(request.turns) + estimate(request.system, tools, request.begun)
