"""Django cache backends over Redis or Valkey; docs/cache.md says what each option does."""

from __future__ import annotations

from performance.cache.remote import RedisCache
from performance.cache.tiered import TieredCache

__all__ = ["RedisCache", "TieredCache"]
