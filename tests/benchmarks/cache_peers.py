"""The cache backends that are measured beside ours, each as its users set it up."""

from __future__ import annotations

from typing import Any

import zstandard
from django.conf import settings
from django_redis.compressors.base import BaseCompressor

OURS = "performance.cache.backends."


class ZstdCompressor(BaseCompressor):
    """django-redis's own wants a library that is no longer kept."""

    def compress(self, value: bytes) -> bytes:
        return zstandard.compress(value, 3) if len(value) > 15 else value

    def decompress(self, value: bytes) -> bytes:
        return zstandard.decompress(value) if value[:4] == b"\x28\xb5\x2f\xfd" else value


def aliases() -> dict[str, dict[str, Any]]:
    """CACHES, one alias for each peer."""
    packed = {
        "SERIALIZER": "django_redis.serializers.msgpack.MSGPackSerializer",
        "COMPRESSOR": f"{__name__}.ZstdCompressor",
    }
    found = {
        "locmem": _entry("django.core.cache.backends.locmem.LocMemCache"),
        "core": _entry("django.core.cache.backends.redis.RedisCache"),
        "django-redis": _entry("django_redis.cache.RedisCache"),
        "django-redis+msgpack+zstd": _entry("django_redis.cache.RedisCache", packed),
        "redis-py-csc": _entry("django.core.cache.backends.redis.RedisCache", _client_side()),
        "ours-redis": _entry(f"{OURS}RedisCache"),
        "ours-tiered": _entry(f"{OURS}TieredCache"),
    }
    for name, entry in found.items():
        entry["KEY_PREFIX"] = name
    return {"default": dict(found["locmem"]), **found}


def _entry(backend: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    # An address of its own for each: django-redis shares a pool among equal ones, options or not.
    url = f"{settings.CACHE_URL}{'&' if '?' in settings.CACHE_URL else '?'}health_check_interval=0"
    entry: dict[str, Any] = {"BACKEND": backend, "LOCATION": url, "OPTIONS": options or {}}
    return {**entry, "LOCATION": ""} if backend.endswith("LocMemCache") else entry


def _client_side() -> dict[str, Any]:
    from redis.cache import CacheConfig
    from redis.connection import CacheProxyConnection

    CacheProxyConnection.DEFAULT_SERVER_NAME = "valkey"  # it refuses Valkey by name
    return {"protocol": 3, "cache_config": CacheConfig()}
