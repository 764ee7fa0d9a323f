"""Counts the tokens of one round: as the provider reports them, or estimated where it does not."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from conversations.ai import tokens
from conversations.ai.base import ChatRequest, Event, Finish, Reasoning, Text, ToolCall, Usage
from conversations.attempts import Attempt


class Meter:
    """A context around one stream. A stream that was cut, or whose server counts nothing, is estimated.

    A server that never said a word has taken nothing, and so has a backend without a model.
    """

    def __init__(self, attempt: Attempt, request: ChatRequest) -> None:
        self._attempt = attempt
        self._request = request
        self._is_reported = False
        self._said: list[str] = []

    def __enter__(self) -> Self:
        return self

    def take(self, event: Event) -> None:
        match event:
            case Usage():
                self._is_reported = True
                self._attempt.input_tokens += event.input_tokens
                self._attempt.output_tokens += event.output_tokens
                self._attempt.cached_tokens += event.cached_tokens
            case Text(text) | Reasoning(text):
                self._said.append(text)
            case ToolCall():
                self._said.append(event.name + event.arguments)
            case Finish():
                pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        attempt = self._attempt
        if self._is_reported or not self._said or not attempt.backend.is_language_model:
            return
        attempt.input_tokens += tokens.of_request(self._request)
        attempt.output_tokens += tokens.estimate("".join(self._said))
        attempt.estimated = True
