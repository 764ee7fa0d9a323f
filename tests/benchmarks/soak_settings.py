"""The site of the soak: as in production, with first tiers so small that they are full before it counts.

What is bounded then stands still, and what still grows would grow for ever.
"""

from __future__ import annotations

from chatsite.settings import *  # noqa: TID251

DEBUG = False
CACHES = {
    alias: {**cache, "OPTIONS": {"LOCAL_MAX_BYTES": 2 << 20}} for alias, cache in CACHES.items()
}
