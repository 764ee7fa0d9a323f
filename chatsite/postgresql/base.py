"""While PostgreSQL is away, a connection fails at once instead of after the pool's patience.

Without this a page waits two seconds for each statement that it tries, with one of the few threads in
its hands, and the pages that the cache could answer wait behind it. The pool's own tries to connect
also get rarer, up to minutes apart, so after an outage it is made anew.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any

from django.db.backends.postgresql import base

from chatsite.postgresql.outage import Outage

CONNECT_TIMEOUT = 2  # seconds, for a look at whether the server is there; libpq knows no less
_outages: defaultdict[str, Outage] = defaultdict(Outage)  # by alias


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for how connections are had."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises OperationalError, at once where the server is known to be away."""
        outage = _outages[self.alias]
        if outage.is_on:
            self._try_again(outage, conn_params)
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            # The pool says the same where it is away and where all its connections are in use.
            self._look(outage, conn_params)
            raise

    def _try_again(self, outage: Outage, conn_params: dict[str, Any]) -> None:
        if not outage.may_try():
            raise self.Database.OperationalError("The database is away; it is tried every second.")
        self._reach(outage, conn_params)
        pools: dict[str, Any] = self._connection_pools  # type: ignore[attr-defined]
        if (pool := pools.pop(self.alias, None)) is not None:
            pool.close(
                timeout=0
            )  # those of its connections that are in use close when they are given back
        outage.end()

    def _look(self, outage: Outage, conn_params: dict[str, Any]) -> None:
        try:
            self._reach(outage, conn_params)
        except self.Database.OperationalError:
            return

    def _reach(self, outage: Outage, conn_params: dict[str, Any]) -> None:
        """Connects, past the pool. Raises OperationalError, and the outage has begun or goes on."""
        try:
            self.Database.connect(**conn_params | {"connect_timeout": CONNECT_TIMEOUT}).close()
        except self.Database.OperationalError:
            outage.begin()
            raise


# A child may have been forked while another thread held a lock.
os.register_at_fork(after_in_child=_outages.clear)
