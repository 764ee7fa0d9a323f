"""Chat backends for tests: real ChatBackend classes that say what a test wants, when it wants it.

In-process tests pass a script; a server started with CHAT_BACKEND=tests.backends.ScriptedBackend
reads the script out of the user's message, one directive a line: `say words`, `pause 0.2`,
`repeat 20 0.05 words` (or `repeat 5-20 ...`: from the sixth time on), `until file` (it is there), `tool name {json}`, `hold seconds`, `fail code`, `fail words` (a fault that quotes them), `told` (the model and the system prompt). A continued answer goes on with "and so on". Any other message is answered "You said: ...".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import ClassVar

from conversations.ai import exceptions
from conversations.ai.base import (
    ChatBackend,
    ChatRequest,
    Event,
    Finish,
    Text,
    ToolCall,
    Turn,
    Usage,
    Waiting,
)

ERRORS = {
    error.code: error
    for error in vars(exceptions).values()
    if isinstance(error, type) and issubclass(error, exceptions.ChatBackendError)
}
DIRECTIVES = {"say", "pause", "repeat", "until", "tool", "fail", "hold", "told"}


class ScriptedBackend(ChatBackend):
    label = "Scripted"
    is_language_model = False
    closed: ClassVar[list[str]] = []  # questions whose stream was closed before its end

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.options.get("models", [self.model]))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        last = request.turns[-1]
        finished = False
        try:
            for line in ["say  and so on"] if request.begun else _script(last):
                if line == "told":
                    yield Text(f"{request.model}\n{request.system}")
                async for event in _play(line):
                    yield event
            yield Usage(input_tokens=len(request.turns), output_tokens=7)
            yield Finish("stop")
            finished = True
        finally:
            if not finished:
                self.closed.append(last.text)


def _script(turn: Turn) -> list[str]:
    if turn.role == "tool":
        return [f"say The tool says: {turn.text}"]
    lines = turn.text.splitlines()
    if lines and lines[0].split(" ")[0] in DIRECTIVES:
        return lines
    return [f"say You said: {turn.text}"]


async def _play(line: str) -> AsyncGenerator[Event]:
    directive, _, rest = line.partition(" ")
    match directive:
        case "say":
            yield Text(rest.replace("\\n", "\n"))
        case "pause" | "until":
            await _come(directive, rest)
        case "hold":
            yield Waiting(float(rest))
            await asyncio.sleep(float(rest))
            yield Waiting(0)
        case "repeat":
            numbers, pause, words = rest.split(" ", 2)
            first, _, last = numbers.rpartition("-")
            for number in range(int(first or 0), int(last)):
                yield Text(words.replace("\\n", "\n").replace("#", str(number)))
                await asyncio.sleep(float(pause))
        case "tool":
            name, _, arguments = rest.partition(" ")
            yield ToolCall(id="call-1", name=name, arguments=arguments or "{}")
        case "fail":
            raise ERRORS.get(rest) or ValueError(rest)


async def _come(directive: str, rest: str) -> None:
    """The end of a pause, or a file."""
    if directive == "pause":
        await asyncio.sleep(float(rest))
        return
    while not Path(rest).exists():
        await asyncio.sleep(0.02)
