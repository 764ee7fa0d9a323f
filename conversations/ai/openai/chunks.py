"""One `chat.completion.chunk` as servers really send it, and the answer put together from many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from conversations.ai.base import Event, Finish, Reasoning, Text, ToolCall, Usage
from conversations.ai.exceptions import MalformedAnswer, StreamInterrupted
from conversations.ai.openai.errors import from_payload

MAX_TOOL_CALLS = 64


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CallDelta(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning: Any = None
    reasoning_content: str | None = None
    tool_calls: list[CallDelta] | None = None


class Choice(msgspec.Struct):
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class Counts(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Any = None
    prompt_cache_hit_tokens: Any = None

    @property
    def usage(self) -> Usage:
        """Numbers below 0 and tokens in a cache that nobody sent count as none."""
        read = max(self.prompt_tokens or 0, 0)
        cached = self.prompt_cache_hit_tokens
        if isinstance(self.prompt_tokens_details, dict):
            cached = self.prompt_tokens_details.get("cached_tokens")
        known = cached if isinstance(cached, int) and 0 <= cached <= read else 0
        return Usage(read, max(self.completion_tokens or 0, 0), known)


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: Counts | None = None
    error: Any = None


_decode = msgspec.json.Decoder(Chunk).decode


class PartialCall:
    """A tool call whose name and arguments are still arriving."""

    def __init__(self, key: int) -> None:
        self.id = f"call_{key}"
        self.name = ""
        self.arguments = ""

    def add(self, delta: CallDelta) -> None:
        self.id = delta.id or self.id
        if delta.function is None:
            return
        name = delta.function.name or ""
        if name != self.name:  # some servers repeat the whole name in every chunk
            self.name += name
        arguments = delta.function.arguments or ""
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        self.arguments += arguments

    def finished(self) -> ToolCall:
        return ToolCall(self.id, self.name, self.arguments or "{}")


class Answer:
    """Turns chunks into events. `end()` gives what can only be known once the server is done."""

    def __init__(self) -> None:
        self.finish_reason = ""
        self.is_done = False
        self._usage: Counts | None = None
        self._calls: dict[int, PartialCall] = {}

    def take(self, data: str) -> Iterator[Event]:
        """The events of one chunk. Raises the error that the server put into its stream."""
        if data.strip() == "[DONE]":
            self.is_done = True
            return
        chunk = _chunk(data)
        if chunk.error:
            raise from_payload(chunk.error)
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices or ():
            yield from self._choice(choice)

    def _choice(self, choice: Choice) -> Iterator[Event]:
        self.finish_reason = choice.finish_reason or self.finish_reason
        delta = choice.delta or choice.message
        if delta is None:
            return
        thought = delta.reasoning_content or delta.reasoning
        if isinstance(thought, str) and thought:
            yield Reasoning(thought)
        if text := _text(delta.content) or delta.refusal:
            yield Text(text)
        for call in delta.tool_calls or ():
            self._call(call)

    def _call(self, delta: CallDelta) -> None:
        key = delta.index
        if key is None:  # without an index, a new id begins a new call
            last = max(self._calls, default=-1)
            is_new = last < 0 or (delta.id is not None and delta.id != self._calls[last].id)
            key = last + 1 if is_new else last
        if key not in self._calls and len(self._calls) >= MAX_TOOL_CALLS:
            raise MalformedAnswer("too many tool calls")
        self._calls.setdefault(key, PartialCall(key)).add(delta)

    def end(self) -> Iterator[Event]:
        """Raises StreamInterrupted where the server stopped without a word of having finished."""
        if not (self.is_done or self.finish_reason):
            raise StreamInterrupted("no finish reason")
        for key in sorted(self._calls):
            yield self._calls[key].finished()
        if self._usage is not None:
            yield self._usage.usage
        yield Finish(self.finish_reason or "stop")


def _chunk(data: str) -> Chunk:
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise MalformedAnswer("undecodable chunk") from error


def _text(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a content that may be a list of typed parts."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = (part.get("text") for part in content if part.get("type") == "text")
    return "".join(part for part in parts if isinstance(part, str))
