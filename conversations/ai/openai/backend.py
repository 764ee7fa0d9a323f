"""`OpenAIBackend`: one request, its answer as events, asked again only while nothing has arrived."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import structlog
from django.core.checks import Error

from conversations.ai.base import ChatBackend, ChatRequest, Event
from conversations.ai.exceptions import ChatBackendError
from conversations.ai.openai import exchange, retry
from conversations.ai.openai.breaker import breaker_for
from conversations.ai.openai.chunks import Answer
from conversations.ai.openai.options import Options, read

HINT = "Set LLM_BASE_URL, LLM_MODEL and LLM_API_KEY; see docs/settings.md."

logger = structlog.get_logger(__name__)


class OpenAIBackend(ChatBackend):
    """Any server with `/chat/completions`. OPTIONS are described at `Options`."""

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        self.label = str(options.get("label", "Assistant"))

    @functools.cached_property
    def settings(self) -> Options:
        return read(self.options)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        breaker = breaker_for(self.settings.base_url)
        for number in range(1, self.settings.tries + 1):
            has_begun = False
            breaker.enter()
            try:
                async with aclosing(self._try(request)) as events:
                    async for event in events:
                        if not has_begun:
                            has_begun = True
                            breaker.succeeded()
                        yield event
                    return
            except ChatBackendError as error:
                breaker.note(error)
                if has_begun or number == self.settings.tries:
                    raise
                await self._pause(number, error)

    async def _pause(self, number: int, error: ChatBackendError) -> None:
        """Waits before the next try. Raises the error where another would be no use."""
        pause = retry.pause_before(number, error)
        if pause is None:
            raise error
        logger.info(
            "chat_backend_retry", backend=self.alias, code=error.code, pause=round(pause, 2)
        )
        await asyncio.sleep(pause)

    async def _try(self, request: ChatRequest) -> AsyncGenerator[Event]:
        answer = Answer()
        async with (
            exchange.opened(self.settings, request) as (response, deadline),
            aclosing(exchange.data(response, deadline, self.settings.gap_timeout)) as events,
        ):
            async for data in events:
                for event in answer.take(data):
                    yield event
                if answer.is_done:
                    await exchange.drain(events)
                    break
        for event in answer.end():
            yield event

    def check(self) -> list[Any]:
        try:
            read(self.options)
        except ValueError as error:
            return [
                Error(
                    f"CHAT_BACKENDS[{self.alias!r}]: {error}.", hint=HINT, id="conversations.E003"
                )
            ]
        return []
