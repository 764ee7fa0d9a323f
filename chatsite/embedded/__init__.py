"""PostgreSQL and two Valkeys from wheels, under DATA_DIR, for local use and tests.

Addresses are fixed by the data directory alone, so settings can name them before anything runs.
Whoever needs the servers holds a lock on them (`running`); the keeper process starts them for the
first holder and stops them after the last, however that one ended.
"""

from __future__ import annotations

from chatsite.embedded.addresses import cache_url, database_url, home, queue_url
from chatsite.embedded.commands import missing_servers, servers_for
from chatsite.embedded.directories import secret_key
from chatsite.embedded.errors import EmbeddedError
from chatsite.embedded.holders import Hold, running

__all__ = [
    "EmbeddedError",
    "Hold",
    "cache_url",
    "database_url",
    "home",
    "missing_servers",
    "queue_url",
    "running",
    "secret_key",
    "servers_for",
]
