"""People of the soak: they open pages, search, ask something and read the answer's stream to its end."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.connections import Connections

ACTS = ("page",) * 6 + ("list",) * 2 + ("search", "ask")
PATIENCE = 20.0  # seconds for an act
TOKEN = "s" * 32
AFTER = re.compile(rb'data-after="([0-9-]+)"')
MESSAGES = 50  # that each conversation begins with: a page's worth, so that pages do not grow


@dataclass(frozen=True)
class Visitor:
    """Somebody signed in, with one conversation."""

    session: str
    conversation: uuid.UUID

    @property
    def cookie(self) -> str:
        return f"sessionid={self.session}; csrftoken={TOKEN}"

    @property
    def path(self) -> str:
        return f"/c/{self.conversation}/"


@dataclass
class Seen:
    """What came of each act: "200" and the like, or the name of what went wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    took: dict[str, list[float]] = field(default_factory=dict)

    @property
    def well(self) -> int:
        return sum(count for what, count in self.outcomes.items() if what.startswith("2"))

    @property
    def shed(self) -> int:
        return self.outcomes["503"] + self.outcomes["429"]

    @property
    def failed(self) -> int:
        return self.outcomes.total() - self.well - self.shed

    def p95(self, act: str) -> float:
        ordered = sorted(self.took.get(act, ()))
        return round(1000 * ordered[int(len(ordered) * 0.95)], 1) if ordered else 0.0


class Crowd:
    """All visitors, over connections that stay open; a stream has one of its own."""

    def __init__(self, port: int, visitors: list[Visitor]) -> None:
        self._connections = Connections(port)
        self._visitors = visitors
        self._asking: set[Visitor] = set()

    async def act(self, seen: Seen) -> None:
        """One act of somebody. Nobody asks while their last answer is still coming."""
        act, visitor = random.choice(ACTS), random.choice(self._visitors)
        if act == "ask" and visitor in self._asking:
            act = "page"
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                status = await getattr(self, f"_{act}")(visitor)
        except (OSError, TimeoutError, ValueError, EOFError) as error:
            seen.outcomes[f"{act}: {type(error).__name__}"] += 1
            return
        seen.outcomes[str(status)] += 1
        seen.took.setdefault(act, []).append(time.perf_counter() - begun)

    async def everybody_asks(self) -> None:
        """All at once: whatever is bounded by what runs at a time is at its bound afterwards."""
        await asyncio.gather(*map(self._ask, self._visitors), return_exceptions=True)

    async def _page(self, visitor: Visitor) -> int:
        return await self._get(visitor, visitor.path)

    async def _list(self, visitor: Visitor) -> int:
        return await self._get(visitor, "/")

    async def _search(self, visitor: Visitor) -> int:
        return await self._get(visitor, "/search/?words=paragraph")

    async def _get(self, visitor: Visitor, path: str) -> int:
        return (await self._connections.exchange(path, visitor.cookie)).status

    async def _ask(self, visitor: Visitor) -> int:
        """As a browser does: the stream goes on from the event that the page was drawn after."""
        self._asking.add(visitor)
        try:
            page = await self._connections.exchange(visitor.path, visitor.cookie)
            after = AFTER.search(page.body)
            if after is None:
                return page.status
            return await self._ask_after(visitor, after[1].decode())
        finally:
            self._asking.discard(visitor)

    async def _ask_after(self, visitor: Visitor, event: str) -> int:
        path = f"{visitor.path}events/?after={event}"
        stream = await self._connections.stream(path, visitor.cookie)
        try:
            text = urlencode({"text": "say Here it is.", "key": str(uuid.uuid4())}).encode()
            headers = f"X-CSRFToken: {TOKEN}\r\nHX-Request: true\r\n"
            answer = await self._connections.exchange(
                f"{visitor.path}messages/", visitor.cookie, headers=headers, body=text
            )
            if answer.status == 201:
                await stream.until(b"event: done")
            return answer.status
        finally:
            stream.close()

    def close(self) -> None:
        self._connections.close()


def visitors(count: int) -> list[Visitor]:
    """So many rows of users, each signed in."""
    from django.test import Client

    from tests.benchmarks.pages import filled
    from tests.factories import ConversationFactory

    found = []
    for _ in range(count):
        conversation: Any = ConversationFactory()
        filled(conversation, MESSAGES)
        client = Client()
        client.force_login(conversation.user)
        found.append(Visitor(client.cookies["sessionid"].value, conversation.pk))
    return found
