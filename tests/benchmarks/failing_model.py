"""Errors that users see when a model's server fails 30 % of calls: ours, and asking once.

python -m tests.benchmarks failing_model [--calls 400]

The server is llmock, which answers 10 % of calls each with 429, 500 and 503. Both sides ask in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from tests.servers import free_port

ABREAST = 20


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="failing_model")
    parser.add_argument("--calls", type=int, default=400)
    calls = parser.parse_args(arguments).calls
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    port = free_port()
    command = [Path(sys.executable).with_name("llmock"), "serve", "--port", str(port)]
    faults = [f"--error-rate={status}=0.1" for status in (429, 500, 503)]
    server = subprocess.Popen(
        [*command, *faults, "--log-level", "error"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        once, ours = asyncio.run(measure(f"http://127.0.0.1:{port}/v1", calls))
    finally:
        server.terminate()
        server.wait(10)
    fewer = round(1 - ours / once, 3) if once else 0.0
    figures = {"calls": calls, "errors_asking_once": once, "errors_ours": ours, "fewer": fewer}
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(json.dumps({"name": "failing_model", "figures": figures, "ratios": {"fewer": fewer}}))


async def measure(base_url: str, calls: int) -> tuple[int, int]:
    """Errors of `calls` calls each: with one try, and with ours."""
    from conversations.ai.openai import OpenAIBackend

    options = {"base_url": base_url, "model": "gpt-4o", "api_key": "k"}
    backends = OpenAIBackend("once", {**options, "tries": 1}), OpenAIBackend("ours", options)
    limit = asyncio.Semaphore(ABREAST)
    pairs = [(failed(backend, limit)) for _ in range(calls) for backend in backends]
    found = await asyncio.gather(*pairs)
    return sum(found[::2]), sum(found[1::2])


async def failed(backend: object, limit: asyncio.Semaphore) -> bool:
    from conversations.ai.base import ChatRequest, Turn
    from conversations.ai.exceptions import ChatBackendError

    async with limit:
        try:
            async for _ in backend.stream(ChatRequest(turns=(Turn("user", "Hello"),))):  # type: ignore[attr-defined]
                pass
        except ChatBackendError:
            return True
    return False


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/health")
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("llmock did not start.")
