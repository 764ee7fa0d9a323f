"""Sessions in PostgreSQL with the cache in front; a key that cannot be one is not looked up."""

from __future__ import annotations

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore


class SessionStore(CachedStore):
    def _validate_session_key(self, key: str) -> bool:
        # PostgreSQL refuses a NUL with an error, and keys of ours are letters and digits.
        usable: bool = super()._validate_session_key(key)  # type: ignore[misc]
        return usable and key.isascii() and key.isalnum()
