"""One HTTP exchange: request out, data of the events in, each within its time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

import httpx2
import msgspec
import structlog

from conversations.ai.base import ChatRequest
from conversations.ai.exceptions import BackendTimeout, ChatBackendError, MalformedAnswer
from conversations.ai.openai import errors, payload
from conversations.ai.openai.client import client_for
from conversations.ai.openai.options import Options
from conversations.ai.openai.ratelimits import exhausted_for
from conversations.ai.openai.retry import wanted_wait
from conversations.ai.openai.sse import MAX_LINE, EventStream

ERROR_BODY = 65_536
ERROR_TIMEOUT = 5.0
LAST_BYTES_TIMEOUT = 0.05
PROBE_TIMEOUT = 3.0
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@asynccontextmanager
async def opened(
    settings: Options, request: ChatRequest
) -> AsyncIterator[tuple[httpx2.Response, float]]:
    """The response, of status 200 for certain, and the loop's time by which its first event is due.

    Raises a named error for everything else. Leaving the block, however, closes the connection
    unless the response was read to its end.
    """
    deadline = asyncio.get_running_loop().time() + settings.first_event_timeout
    client = await client_for(settings.url)
    prepared = client.build_request(
        "POST",
        settings.url,
        content=msgspec.json.encode(payload.body(request, settings)),
        headers=_headers(settings),
        timeout=settings.timeout,
    )
    response = await _in_time(client.send(prepared, stream=True), deadline)
    try:
        if response.status_code != httpx2.codes.OK:
            raise await _refusal(response)
        yield response, deadline
    finally:
        await response.aclose()


async def probe(settings: Options) -> str:
    """Whether the server answers at all and takes the key: asks for its models, which costs nothing."""
    client = await client_for(settings.url)
    request = client.build_request(
        "GET",
        settings.url.copy_with(
            path=settings.url.path.removesuffix("/chat/completions") + "/models"
        ),
        headers=_headers(settings),
        timeout=PROBE_TIMEOUT,
    )
    deadline = asyncio.get_running_loop().time() + PROBE_TIMEOUT
    try:
        response = await _in_time(client.send(request, stream=True), deadline)
    except ChatBackendError as error:
        return error.explanation
    await response.aclose()
    if response.status_code in {401, 403} or response.status_code >= 500:
        return errors.from_response(response.status_code, b"").explanation
    return ""


async def data(
    response: httpx2.Response, deadline: float, gap_timeout: float
) -> AsyncGenerator[str]:
    """The data of each event. Comments that keep the connection open do not push the deadline."""
    stream = EventStream()
    chunks = response.aiter_bytes()
    if "application/json" in response.headers.get("content-type", ""):
        yield await _in_time(_whole(chunks), deadline)
        return
    loop = asyncio.get_running_loop()
    while (chunk := await _in_time(anext(chunks, None), deadline)) is not None:
        events = stream.feed(chunk)
        for event in events:
            yield event
        if events:
            deadline = loop.time() + gap_timeout
    for event in stream.close():
        yield event


async def drain(events: AsyncGenerator[str]) -> None:
    """Reads the last bytes after [DONE], so that the connection can serve the next request."""
    with suppress(TimeoutError, ChatBackendError):
        async with asyncio.timeout(LAST_BYTES_TIMEOUT):
            async for _ in events:
                pass


async def _in_time[T](awaitable: Awaitable[T], deadline: float) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await awaitable
    except TimeoutError:
        raise BackendTimeout("silent for too long") from None
    except httpx2.HTTPError as error:
        raise errors.from_transport(error) from error


async def _whole(chunks: AsyncIterator[bytes]) -> str:
    """The body of a server that does not stream although it was asked to."""
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_LINE:
            raise MalformedAnswer("answer too long")
    return body.decode("utf-8", "replace")


async def _refusal(response: httpx2.Response) -> ChatBackendError:
    body = b""
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(ERROR_TIMEOUT):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ERROR_BODY:
                    break
    error = errors.from_response(response.status_code, body)
    wait = wanted_wait(response.headers)
    error.retry_after = exhausted_for(response.headers) or None if wait is None else wait
    return error


def _headers(settings: Options) -> dict[str, str]:
    headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    context = structlog.contextvars.get_contextvars()
    request_id = str(context.get("correlation_id") or context.get("request_id") or "")
    if SAFE_ID.fullmatch(request_id):
        headers["X-Request-ID"] = request_id
    return headers
