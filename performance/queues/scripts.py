"""The Lua scripts that change state, each one atomic step; sent by hash, loaded when the server lost them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import NoScriptError

from performance.queues.levels import RQ_KEY_PREFIX

_FOLDER = Path(__file__).parent / "lua"
_NEEDS = {
    "submit": ("submission",),
    "schedule": ("submission",),
    **dict.fromkeys(("claim", "finish", "renew", "reap", "orphans"), ("running",)),
}


@cache
def _source(name: str) -> tuple[str, str]:
    parts = ("common", *_NEEDS.get(name, ()), name)
    text = "\n".join((_FOLDER / f"{part}.lua").read_text() for part in parts)
    text = text.replace("@PREFIX@", RQ_KEY_PREFIX)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def run(connection: redis.Redis, name: str, *args: Any) -> Any:
    """Runs lua/<name>.lua with `args` as ARGV; raises redis.RedisError."""
    text, digest = _source(name)
    try:
        return connection.evalsha(digest, 0, *args)
    except NoScriptError:
        return connection.eval(text, 0, *args)


async def arun(connection: redis.asyncio.Redis, name: str, *args: Any) -> Any:
    """As run(), on an asyncio client."""
    text, digest = _source(name)
    client: Any = connection
    try:
        return await client.execute_command("EVALSHA", digest, 0, *args)
    except NoScriptError:
        return await client.execute_command("EVAL", text, 0, *args)
