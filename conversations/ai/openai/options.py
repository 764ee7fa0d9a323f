"""The OPTIONS of the backend: typed, checked, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx2
import msgspec

from conversations.ai import prices

LONGEST_NAME = 200  # what a row keeps


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider takes from one key in a minute, all workers together; 0 is as much as comes.

    `longest_wait` is how many seconds an answer may wait for its turn, or as the provider asks.
    """

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    longest_wait: float = 120.0


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OPTIONS of `OpenAIBackend`; times are seconds.

    `base_url` ends where /chat/completions is appended, so for most servers it ends in /v1.
    `tries` counts the first one. `gap_timeout` is the longest silence between two chunks.
    `tools` and `include_usage` are for servers that refuse those fields; `extra_body` is merged
    into each request (temperature, reasoning effort, ...). `prices` are those of a million tokens:
    read, written, and read out of the provider's own cache. `limits` are those of the provider's key.
    `models` are those that users may choose from beside `model`, which answers where nothing was chosen.
    `images` says that the model looks at pictures.
    """

    base_url: str
    model: str
    api_key: str = ""
    label: str = "Assistant"
    connect_timeout: float = 5.0
    first_event_timeout: float = 15.0
    gap_timeout: float = 20.0
    tries: int = 4
    tools: bool = True
    images: bool = False
    include_usage: bool = True
    extra_body: dict[str, Any] = {}
    prices: tuple[Decimal, ...] = ()
    limits: Limits = Limits()
    models: tuple[str, ...] = ()

    @property
    def url(self) -> httpx2.URL:
        return httpx2.URL(f"{self.base_url.rstrip('/')}/chat/completions")

    @property
    def timeout(self) -> httpx2.Timeout:
        """Of connecting and sending; the times until and between chunks are kept by the backend."""
        return httpx2.Timeout(
            None, connect=self.connect_timeout, write=30.0, pool=self.connect_timeout
        )


def read(options: Mapping[str, Any]) -> Options:
    """Raises ValueError, with words for the operator and without values, for options that cannot work."""
    try:
        found = msgspec.convert(dict(options), Options)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    problem = url_problem(found.base_url)
    if problem:
        raise ValueError(problem)
    if not found.model.strip():
        raise ValueError("no model is named")
    if (
        found.tries < 1
        or min(found.connect_timeout, found.first_event_timeout, found.gap_timeout) <= 0
    ):
        raise ValueError("tries and timeouts must be positive")
    limits = found.limits
    if min(limits.requests_per_minute, limits.tokens_per_minute) < 0 or limits.longest_wait <= 0:
        raise ValueError("limits must not be negative, and longest_wait positive")
    if not all(name.strip() and len(name) <= LONGEST_NAME for name in found.models):
        raise ValueError(f"models must be names of 1 to {LONGEST_NAME} characters")
    if found.prices:
        prices.price(found.prices)
    return found


def url_problem(base_url: str) -> str:
    """What is wrong with the URL, or an empty string. Never repeats it: it may hold a password."""
    try:
        url = httpx2.URL(base_url.strip())
    except httpx2.InvalidURL:
        return "base_url is not a URL"
    if url.scheme not in {"http", "https"}:
        return "base_url must begin with http:// or https://"
    if not url.host:
        return "base_url names no host"
    if url.userinfo:
        return "base_url must hold no user name or password; use api_key"
    if url.query or url.fragment:
        return "base_url must have no query and no fragment"
    return ""
