"""One HTTP client per event loop, one TLS context per process."""

from __future__ import annotations

import asyncio
import functools
import ssl
import weakref
from collections.abc import AsyncGenerator

import httpx2

# Building a TLS context takes 40 to 300 ms: it is shared, and plain http does without.
LIMITS = httpx2.Limits(max_connections=4000, max_keepalive_connections=100, keepalive_expiry=30.0)

_keepers: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[bool, AsyncGenerator[httpx2.AsyncClient]]
] = weakref.WeakKeyDictionary()
_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, httpx2.AsyncClient]] = (
    weakref.WeakKeyDictionary()
)


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Trusts what the operating system trusts. A worker's parent may call it before it forks."""
    return ssl.create_default_context()


async def client_for(url: httpx2.URL) -> httpx2.AsyncClient:
    """The running loop's client for URLs of this scheme."""
    loop, is_tls = asyncio.get_running_loop(), url.scheme == "https"
    clients = _clients.setdefault(loop, {})
    if is_tls not in clients:
        keeper = _keep(is_tls)
        _keepers.setdefault(loop, {})[is_tls] = keeper
        clients[is_tls] = await anext(keeper)
    return clients[is_tls]


async def _keep(is_tls: bool) -> AsyncGenerator[httpx2.AsyncClient]:
    """Closes the client when its loop ends: asyncio closes the generators that are still open."""
    client = httpx2.AsyncClient(
        verify=tls_context() if is_tls else False,
        limits=LIMITS,
        follow_redirects=False,
        timeout=None,
    )
    try:
        yield client
    finally:
        await client.aclose()
