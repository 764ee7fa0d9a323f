"""The model's server: OpenAI's protocol over real HTTP, a story at a time, slowly; it sees who hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field

from tests.conversations.ai.openai.scripted import DONE, SSE, STOP, Connection
from tests.verification.resume import story

PAUSE = 0.06  # seconds between two pieces
TITLE = ("A ", "story")


@dataclass
class Call:
    """One request for a story. `left_at` is when its client hung up before the end (perf_counter)."""

    number: int
    is_told: bool = False
    left_at: float = 0.0

    @property
    def is_open(self) -> bool:
        return not (self.is_told or self.left_at)


@dataclass
class Provider:
    """A script for `scripted.serving`: answers every connection, and keeps the calls."""

    calls: dict[int, list[Call]] = field(default_factory=dict)

    async def __call__(self, connection: Connection) -> None:
        body = json.loads(connection.body)
        last = str(body["messages"][-1]["content"])
        number = story.asked(last)
        if number is None:  # the conversation's title
            await connection.send(SSE, *map(_chunk, TITLE), STOP, DONE)
            return
        call = Call(number)
        self.calls.setdefault(number, []).append(call)
        telling = asyncio.create_task(_tell(connection, call))
        leaving = asyncio.create_task(_left(connection))
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not call.is_told:
            call.left_at = time.perf_counter()
        for task in (telling, leaving):
            task.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)


async def _tell(connection: Connection, call: Call) -> None:
    await connection.send(SSE)
    for piece in story.pieces(call.number):
        await asyncio.sleep(PAUSE)
        await connection.send(_chunk(piece))
    await connection.send(STOP, DONE)
    call.is_told = True


async def _left(connection: Connection) -> None:
    with contextlib.suppress(ConnectionError):
        await connection.wait_closed()


def _chunk(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"
