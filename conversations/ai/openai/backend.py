"""`OpenAIBackend`: one request, its answer as events, asked again only while nothing has arrived."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import structlog
from django.core.checks import Error

from conversations.ai import tokens
from conversations.ai.base import ChatBackend, ChatRequest, Event, Usage, Waiting
from conversations.ai.exceptions import ChatBackendError, RateLimited
from conversations.ai.openai import exchange, ratelimits, retry
from conversations.ai.openai import pace as pacing
from conversations.ai.openai.breaker import Breaker, breaker_for
from conversations.ai.openai.chunks import Answer
from conversations.ai.openai.options import Options, read
from conversations.ai.openai.pace import Pace, TooLong

HINT = "Set LLM_BASE_URL, LLM_MODEL and LLM_API_KEY; see docs/settings.md."

SAID = 0.5  # seconds of waiting that its reader is told of
EXPECTED = 500  # tokens of an answer

logger = structlog.get_logger(__name__)


class OpenAIBackend(ChatBackend):
    """Any server with `/chat/completions`. OPTIONS are described at `Options`."""

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        self.label = str(options.get("label", "Assistant"))
        self.takes_images = options.get("images") is True

    @functools.cached_property
    def settings(self) -> Options:
        return read(self.options)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.model, *self.settings.models)))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        breaker = breaker_for(self.settings.base_url)
        pace = Pace(self.settings, _expected(request))
        tries = 1
        while True:
            async with aclosing(_turn(pace)) as turn:
                async for waiting in turn:
                    yield waiting
            has_begun = False
            breaker.enter()
            try:
                async with aclosing(self._try(request, pace)) as events:
                    async for event in events:
                        if not has_begun:
                            has_begun = True
                            breaker.succeeded()
                        yield event
                    return
            except ChatBackendError as error:
                breaker.note(error)
                is_told = await _tell(pace, error, breaker)
                if has_begun:
                    raise
                if not (is_told and retry.is_turned_away(error)):
                    await self._pause(tries, error)
                    tries += 1

    async def _pause(self, tries: int, error: ChatBackendError) -> None:
        """Waits before the next try. Raises the error where another would be no use."""
        pause = retry.pause_before(tries, error)
        if pause is None or tries == self.settings.tries:
            raise error
        logger.info(
            "chat_backend_retry", backend=self.alias, code=error.code, pause=round(pause, 2)
        )
        await asyncio.sleep(pause)

    async def _try(self, request: ChatRequest, pace: Pace) -> AsyncGenerator[Event]:
        answer = Answer()
        used: int | None = None
        async with (
            exchange.opened(self.settings, request) as (response, deadline),
            aclosing(exchange.data(response, deadline, self.settings.gap_timeout)) as events,
        ):
            if block := ratelimits.exhausted_for(response.headers):
                await pace.note(block=block)
            async for data in events:
                for event in answer.take(data):
                    yield event
                if answer.is_done:
                    await exchange.drain(events)
                    break
        for event in answer.end():
            if isinstance(event, Usage):
                used = event.input_tokens + event.output_tokens
            yield event
        seen = {"ok_at": f"{time.time():.0f}", "breaker": "closed"}
        await pace.note(used=used, seen=seen | ratelimits.told(response.headers))

    @property
    def limits(self) -> tuple[int, int]:
        limits = self.settings.limits
        return limits.requests_per_minute, limits.tokens_per_minute

    def seen(self) -> dict[str, str]:
        return pacing.seen(self.settings)

    async def probe(self) -> str:
        return await exchange.probe(self.settings)

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


async def _turn(pace: Pace) -> AsyncGenerator[Event]:
    """Waits until the provider's limits let the request through. Raises RateLimited."""
    is_said = False
    try:
        while seconds := await pace.wait():
            if seconds >= SAID:
                is_said = True
                yield Waiting(seconds)
            await asyncio.sleep(seconds)
    except TooLong as error:
        raise RateLimited("its turn is too far away", retry_after=error.seconds) from None
    if is_said:
        yield Waiting(0)


async def _tell(pace: Pace, error: ChatBackendError, breaker: Breaker) -> bool:
    """What all workers, and staff, are to know of a failure. False where Redis is away."""
    block = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
    state = "open" if breaker.is_open else "closed"
    seen = {"error": error.code, "error_at": f"{time.time():.0f}", "breaker": state}
    return await pace.note(block=block, seen=seen)


def _expected(request: ChatRequest) -> int:
    """Tokens that the request is thought to take."""
    return tokens.of_request(request) + (request.max_output_tokens or EXPECTED)
