"""An EventSource (https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as a page needs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2

RETRY = 0.5  # seconds, as the stream says
SIP = 0.25  # seconds between two reads of a slow reader

Receive = Callable[[str, str, dict[str, Any]], None]


class Source:
    """Follows `url` until it is closed, and comes back by itself with the last id it has.

    Ids that are not greater than the one before go to `repeated`, but for those that begin anew.
    """

    def __init__(
        self, client: httpx2.AsyncClient, url: str, receive: Receive, repeated: list[str]
    ) -> None:
        self._client, self._url, self._receive = client, url, receive
        self._repeated = repeated
        self._last = ""
        self._reading: asyncio.Task[None] | None = None
        self.is_open = False
        self.is_closed = False  # by an answer that is no stream: nobody comes back by themselves
        self.sips = False
        self.returns = 0
        self.refused = 0
        self._task = asyncio.create_task(self._follow())

    def drop(self) -> None:
        """As if the network had gone: it comes back."""
        if self._reading is not None:
            self._reading.cancel()

    async def close(self) -> None:
        for task in filter(None, (self._task, self._reading)):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        while not self.is_closed:
            self._reading = asyncio.create_task(self._read())
            await asyncio.wait({self._reading})
            self.is_open = False
            if not self.is_closed:
                self.returns += 1
                await asyncio.sleep(RETRY)

    async def _read(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self._last:
            headers["Last-Event-ID"] = self._last
        with suppress(httpx2.HTTPError):
            async with self._client.stream("GET", self._url, headers=headers) as response:
                if response.status_code != httpx2.codes.OK:
                    self.is_closed, self.refused = True, response.status_code
                    return
                self.is_open = True
                rest = b""
                async for chunk in response.aiter_bytes():
                    *blocks, rest = (rest + chunk).split(b"\n\n")
                    for event_id, kind, data in _events(blocks):
                        self._take(event_id, kind, data)
                    if self.sips:
                        await asyncio.sleep(SIP)

    def _take(self, event_id: str, kind: str, data: dict[str, Any]) -> None:
        if event_id:
            if kind != "reset" and self._last and _order(event_id) <= _order(self._last):
                self._repeated.append(event_id)
            self._last = event_id
        self._receive(event_id, kind, data)


def _order(event_id: str) -> tuple[int, ...]:
    return tuple(map(int, event_id.split("-")))


def _events(blocks: list[bytes]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line)
        if "event" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
