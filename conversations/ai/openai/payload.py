"""The request body: turns, tools and options in the words of Chat Completions."""

from __future__ import annotations

from typing import Any

from conversations.ai.base import ChatRequest, Turn
from conversations.ai.files import instructions, quoted
from conversations.ai.openai.options import Options

CONTINUE = (
    "Your answer was interrupted there. Continue it exactly where it ends, even in the middle of a word:"
    " repeat nothing, and add no introduction."
)


def body(request: ChatRequest, options: Options) -> dict[str, Any]:
    data: dict[str, Any] = {
        "model": request.model or options.model,
        "messages": _messages(request),
        "stream": True,
    }
    if options.include_usage:
        data["stream_options"] = {"include_usage": True}
    if request.tools and options.tools:
        data["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": spec.name,
                    "description": spec.description,
                    "parameters": spec.parameters,
                },
            }
            for spec in request.tools
        ]
    if request.max_output_tokens is not None:
        data["max_tokens"] = request.max_output_tokens
    return data | options.extra_body


def _messages(request: ChatRequest) -> list[dict[str, Any]]:
    words = instructions(request)
    system = [{"role": "system", "content": words}] if words else []
    # Few servers continue an assistant's message by themselves; all follow a request to.
    begun = [Turn("assistant", request.begun), Turn("user", CONTINUE)] if request.begun else []
    return system + [_message(turn) for turn in (*request.turns, *begun)]


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    """The text, behind what it brought along."""
    text = quoted(turn)
    pictures = [
        {"type": "image_url", "image_url": {"url": f"data:{file.media_type};base64,{file.picture}"}}
        for file in turn.files
        if file.picture
    ]
    return [{"type": "text", "text": text}, *pictures] if pictures else text


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": _content(turn)}
    if turn.role == "tool":
        message["tool_call_id"] = turn.tool_call_id
    if turn.tool_calls:
        message["content"] = turn.text or None
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.tool_calls
        ]
    return message
