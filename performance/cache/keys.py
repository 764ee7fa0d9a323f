"""From the key of a caller to the name in Redis, in django-redis's key space."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from fnmatch import translate
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import (
    MEMCACHE_MAX_KEY_LENGTH,
    BaseCache,
    CacheKeyWarning,
    InvalidCacheKey,
    default_key_func,
    memcache_key_warnings,
)
from django_redis.client.default import glob_escape
from django_redis.util import CacheKey

BAD = re.compile(r"[\x00-\x20\x7f]")


def lease_of(name: str) -> str:
    """The name of a key's lease, in the same slot of a cluster.

    A key with a "}" outside of a hash tag has no such name: on a cluster `remember` loads it every time.
    """
    start = name.find("{")
    if start >= 0 and name.find("}", start + 1) > start + 1:
        return f"{name}:lease"
    return f"{{{name}}}:lease"


class Keys:
    """Names for one cache; `validate` warns as Django does about keys that memcached would refuse."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache
        self._plain = cache.key_func is default_key_func
        # What a plain key of the default version is appended to; None where a function makes names.
        self.stem = f"{cache.key_prefix}:{cache.version}:" if self._plain else None
        self.versions = {str(cache.version)}
        self._custom = type(cache).validate_key is not BaseCache.validate_key

    def name(self, key: Any, version: int | None) -> str:
        if version is None and self.stem is not None and type(key) is str:
            return self.stem + key
        if isinstance(key, CacheKey):
            return str(key)
        version = self._cache.version if version is None else version
        return str(self._cache.key_func(key, self._cache.key_prefix, version))

    def checked(self, key: Any, version: int | None) -> str:
        """As `name`, with the warnings. Raises InvalidCacheKey for what UTF-8 has no form for."""
        name = self.name(key, version)
        if self._custom:
            self._cache.validate_key(name)
        elif len(name) > MEMCACHE_MAX_KEY_LENGTH or BAD.search(name):
            for warning in memcache_key_warnings(name):
                warnings.warn(warning, CacheKeyWarning, stacklevel=4)
        if not name.isascii():
            _refuse_surrogates(name)
        return name

    @property
    def identity(self) -> str:
        """Caches that differ in no more than version and timeout have keys in common."""
        cache = self._cache
        return repr((cache.key_prefix, cache.key_func))

    @property
    def prefix(self) -> str:
        """What every name begins with; empty when a KEY_FUNCTION of the site decides."""
        return f"{self._cache.key_prefix}:" if self._plain else ""

    @property
    def pattern(self) -> str:
        """What SCAN is asked for: all names of this cache in all versions, perhaps others too."""
        return f"*{glob_escape(self.prefix)}*"

    def mine(self, names: Iterable[bytes]) -> list[bytes]:
        """Those that are names of this cache, in any version, or their leases.

        The names of prefix "a" and those of prefix "a:b" begin alike. A version is a number, so
        "a:b:1:key" is none of prefix "a"; with "a:1" that fails, so the names of longer prefixes in
        CACHES are left alone, and a system check warns of those.
        """
        mine, others = self._shape(self._cache.key_prefix), [*map(self._shape, self._longer())]
        found = ((name, name.decode("utf-8", "replace")) for name in names)
        return [
            name
            for name, text in found
            if mine.match(text) and not any(other.match(text) for other in others)
        ]

    def _shape(self, prefix: str) -> re.Pattern[str]:
        if self._plain:
            versions = "|".join(["-?[0-9]+", *map(re.escape, sorted(self.versions))])
            stem = f"{re.escape(prefix)}:(?:{versions}):.*"
        else:
            named = str(self._cache.key_func("*", glob_escape(prefix), "*"))
            stem = translate(named).removesuffix(r"\Z").removesuffix(r"\z")
        return re.compile(f"(?:{stem}|{{{stem}}}:lease)\\Z", re.DOTALL)

    def _longer(self) -> list[str]:
        """Prefixes of other caches of the site that a version and a key of this one could spell."""
        prefixes = {str(entry.get("KEY_PREFIX", "")) for entry in settings.CACHES.values()}
        return [prefix for prefix in prefixes if is_inside(prefix, self._cache.key_prefix)]


def _refuse_surrogates(name: str) -> None:
    """Here, and not on the way out, where it would fail all commands that share the round trip."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidCacheKey(f"the key {name!r} has half of a surrogate pair") from None


def is_inside(prefix: str, outer: str) -> bool:
    """Whether names of `prefix` could be names of `outer`: "a:1" and "a"."""
    return re.match(rf"{re.escape(outer)}:-?[0-9]+(:|\Z)", prefix) is not None


def is_portable(name: str) -> bool:
    """Whether `checked` would have nothing to say."""
    return len(name) <= MEMCACHE_MAX_KEY_LENGTH and not BAD.search(name)
