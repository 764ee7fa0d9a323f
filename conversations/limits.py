"""How often one address may ask for something, counted in the cache by the minute."""

from __future__ import annotations

import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from performance.cache import digest

WINDOW = 60  # seconds


def exceeded(request: HttpRequest, what: str, most: int) -> bool:
    """Whether this address has asked `most` times within this minute. While the cache is away: no."""
    address = digest(get_adapter().get_client_ip(request))
    key = f"asked:{what}:{address}:{int(time.time() / WINDOW)}"
    cache.add(key, 0, 2 * WINDOW)
    try:
        return cache.incr(key) > most
    except ValueError:  # not there: the cache is off or away
        return False
