"""Somebody's browser: it opens the page, follows its stream, and does what the page's scripts do."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2

from tests.benchmarks.chat import Person
from tests.verification.resume.answer import Answer
from tests.verification.resume.events import Source
from tests.verification.resume.page import LOOK, MEND, Article, Page, articles

AFTER = re.compile(r'data-after="([0-9-]*)"')
SILENCE = 8.0  # seconds without an event, after which a live answer is looked at
PAUSE, LONGEST_PAUSE, LASTED = 0.5, 15.0, 30.0
AGAIN = 1.0  # seconds until somebody presses again what has failed
TRIES = 40

Note = Callable[[str], None]


class Device:
    """`heard_ends` are the texts that events had brought when they said that it was all.

    `repeated` are ids of events that a connection, or one that went on from it, brought not in their order.
    """

    def __init__(
        self, client: httpx2.AsyncClient, person: Person, fronts: list[str], note: Note
    ) -> None:
        self._client = client
        self._scripts = {name: person.headers[name] for name in ("X-CSRFToken", "HX-Request")}
        self._path = f"/c/{person.conversation}/"
        self._fronts, self._note = fronts, note
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[int, asyncio.Lock] = {}
        self._mended: dict[int, tuple[float, str]] = {}
        self._source: Source | None = None
        self._opened = self._last_event = 0.0
        self._pause = PAUSE
        self.sips = False
        self.page: Page | None = None
        self.heard_ends: list[str] = []
        self.repeated: list[str] = []
        self.counts = dict.fromkeys(("returns", "refused", "mends", "resets", "failed"), 0)

    # What somebody does

    async def open(self) -> None:
        """The page, or the page anew: what was known of it is gone."""
        await self._leave_page()
        html = await self._patiently("GET", self._path)
        after = AFTER.search(html)
        self._note(f"opens the page: after {after[1] if after else '?'}, {_seen(articles(html))}")
        self.page = Page(self, articles(html), after[1] if after else "")
        self._last_event = time.monotonic()
        self._connect()
        self._do(self._look())

    def drop(self) -> None:
        if self._source is not None:
            self._source.drop()

    def sip(self) -> None:
        """Reads slowly from now on."""
        self.sips = True
        if self._source is not None:
            self._source.sips = True

    async def send(self, text: str, key: UUID, *, twice: bool = False) -> None:
        """Sends a message; `twice` as if the button had bounced."""
        assert self.page
        page = self.page
        page.is_sending = True
        data = {"text": text, "key": str(key)}
        posts = [self._patiently("POST", f"{self._path}messages/", data) for _ in range(1 + twice)]
        for html in await asyncio.gather(*posts):
            page.send(articles(html))
        page.stop_sending()

    async def stop(self) -> float | None:
        """Presses the button. When that was (perf_counter), None where there is nothing to stop."""
        live = [one for one in self.page.answers if one.is_live] if self.page else []
        if not live:
            return None
        begun = time.perf_counter()
        html = await self._patiently("POST", f"{self._path}messages/{live[0].number}/stop/", {})
        if self.page:
            self.page.acted(articles(html))
        return begun

    async def close(self) -> None:
        await self._leave_page()
        await self._client.aclose()

    # What its page wants

    def refresh(self, number: int, *, force: bool) -> None:
        self._do(self._refresh(number, force=force))

    def follow(self, first: int | None = None) -> None:
        self._do(self._follow(first))

    def reconnect(self) -> None:
        self._do(self._reconnect())

    def mend(self, number: int) -> None:
        self._do(self._mend(number))

    def heard(self, answer: Answer) -> None:
        if answer.streaming:
            self.heard_ends.append(answer.heard)

    # How

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refresh(self, number: int, *, force: bool) -> None:
        async with self._turns.setdefault(number, asyncio.Lock()):
            html = await self._load(f"messages/{number}/")
            if html is not None and self.page:
                for article in articles(html):
                    self.page.replace(article, force=force)

    async def _follow(self, first: int | None, *, leaving: bool = False) -> None:
        page = self.page
        if page is None:
            return
        after_last = 1 + page.last_place
        first = min(first or after_last, after_last)
        html = await self._load(f"messages/?from={first}")
        if html is not None:
            page.show_from(first, articles(html))
            if leaving:
                page.leave()

    async def _mend(self, number: int) -> None:
        at, known_start = self._mended.get(number, (0.0, ""))
        if time.monotonic() - at < (LOOK if known_start else MEND):
            return
        self._mended[number] = time.monotonic(), known_start
        self.counts["mends"] += 1
        await self._refresh(number, force=True)
        answer = self.page.shown.get(number) if self.page else None
        if not isinstance(answer, Answer) or not answer.is_live or not self.page:
            return
        if answer.start and answer.start != known_start:
            self._mended[number] = time.monotonic(), answer.start
            self.page.cursor = answer.start
            await self._disconnect()
            self._connect()

    async def _reconnect(self) -> None:
        await self._disconnect()
        lasted = time.monotonic() - self._opened > LASTED
        self._pause = PAUSE if lasted else min(self._pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(self._pause * 0.75)
        self._connect()

    def _connect(self) -> None:
        if self._source is not None or self.page is None:
            return
        self._opened = time.monotonic()
        front = self._fronts[0]
        url = f"{front}{self._path}events/?after={quote(self.page.cursor)}"
        self._source = Source(self._client, url, self._receive, self.repeated)
        self._source.sips = self.sips

    async def _disconnect(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            self.counts["returns"] += source.returns
            await source.close()

    def _receive(self, event_id: str, kind: str, data: dict[str, Any]) -> None:
        if self.page is None:
            return
        self._last_event = time.monotonic()
        self.page.cursor = event_id or self.page.cursor
        if kind not in {"text", "block", "ahead"}:
            self._note(f"hears {kind} {data}")
        self.counts["resets"] += kind == "reset"
        self.page.take(kind, data)

    async def _look(self) -> None:
        """Where events do not come."""
        page = self.page
        await asyncio.sleep(LOOK)
        while page is not None and page is self.page:
            self._look_once(page)
            await asyncio.sleep(LOOK)

    def _look_once(self, page: Page) -> None:
        source = self._source
        if source is not None and source.is_closed:
            self.counts["refused"] += 1
            self._note(f"is refused the stream: {source.refused}")
            self._fronts.append(self._fronts.pop(0))
            self.reconnect()
        if page.held and not page.is_sending:
            self._do(self._follow(None, leaving=True))
        is_open = source is not None and source.is_open
        if is_open and time.monotonic() - self._last_event < SILENCE:
            return
        self._last_event = time.monotonic()
        for known in page.answers:
            if known.is_live and not self._turn_is_taken(known.number):
                self.refresh(known.number, force=False)

    def _turn_is_taken(self, number: int) -> bool:
        return number in self._turns and self._turns[number].locked()

    async def _leave_page(self) -> None:
        self.page = None
        self._turns, self._mended, self._pause = {}, {}, PAUSE
        await self._disconnect()
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _load(self, part: str) -> str | None:
        """A part of the page. None where it is refused: the page goes on without."""
        with suppress(httpx2.HTTPError):
            url = self._fronts[0] + self._path + part
            response = await self._client.get(url, headers=self._scripts, timeout=10)
            if response.is_success:
                return response.text
            self._note(f"is refused {part}: {response.status_code}")
        self.counts["failed"] += 1
        return None

    async def _patiently(self, method: str, path: str, data: dict[str, str] | None = None) -> str:
        """As somebody who presses again what has failed, with the same key."""
        headers = self._scripts if method == "POST" else {}
        for _ in range(TRIES):
            front = self._fronts[0]
            try:
                answer = await self._client.request(
                    method, front + path, data=data, headers=headers, timeout=10
                )
            except httpx2.HTTPError as error:
                self._note(f"{method} fails: {type(error).__name__}")
                self._fronts.append(self._fronts.pop(0))
            else:
                if answer.is_success:
                    return answer.text
                self._note(f"{method} {path} is answered {answer.status_code}")
                if answer.status_code < 500 and answer.status_code != 429:
                    raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
            await asyncio.sleep(AGAIN)
        raise AssertionError(f"{method} {path}: nobody answers")


def _seen(shown: list[Article]) -> str:
    answers = [one for one in shown if one.status]
    return (
        ", ".join(f"{one.status} {one.attempt} of {one.length}" for one in answers) or "no answer"
    )
