"""Sessions in PostgreSQL with the cache in front; a key that cannot be one is not looked up.

The end of a session ends its user's event streams, and only once it has ended: a browser that comes back
for another stream in between would be let in, and nobody would look again for minutes.
"""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore

from conversations import streams


class SessionStore(CachedStore):
    def _validate_session_key(self, key: str) -> bool:
        # PostgreSQL refuses a NUL with an error, and keys of ours are letters and digits.
        usable: bool = super()._validate_session_key(key)  # type: ignore[misc]
        return usable and key.isascii() and key.isalnum()

    def flush(self) -> None:
        user_id = self.get(SESSION_KEY)
        super().flush()
        if user_id is not None:
            streams.rights_changed(int(user_id))
