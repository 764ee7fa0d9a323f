"""What a running site holds: memory, descriptors, threads, connections to PostgreSQL and to both Redis."""

from __future__ import annotations

import statistics
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg
import redis
from django.conf import settings

CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Holding:
    """`with Holding(site) as holding:` asks over connections of its own, which it does not count."""

    def __init__(self, site: Any) -> None:
        self._processes = {"web": site.web.pid, "worker": site.worker.pid}
        self._port = site.port
        self._database = psycopg.connect(site.environment["DATABASE_URL"], autocommit=True)
        self._servers = {
            "cache": redis.Redis.from_url(settings.CACHE_URL),
            "queue": redis.Redis.from_url(settings.QUEUE_URL),
        }

    def now(self) -> dict[str, float]:
        """One figure for each thing held; memory in MB."""
        found: dict[str, float] = {}
        for name, pid in self._processes.items():
            found |= {f"{name}_{what}": value for what, value in self._process(pid).items()}
        row = self._database.execute(CONNECTIONS).fetchone()
        found["database_connections"] = row[0] if row else 0
        for name, client in self._servers.items():
            found[f"{name}_clients"] = self._clients(client)
            found[f"{name}_mb"] = client.info("memory")["used_memory"] / 2**20
        return found

    def _clients(self, client: redis.Redis) -> int:
        """Those of the site's database: other sites, and other tests, may have theirs on the server."""
        database = client.get_connection_kwargs().get("db", 0)
        return sum(int(one["db"]) == database for one in client.client_list()) - 1

    def _process(self, pid: int) -> dict[str, float]:
        """Of a process and all that it started. A child may end while it is looked at."""
        parent = psutil.Process(pid)
        found = {"mb": 0.0, "descriptors": 0, "threads": 0}
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess), process.oneshot():
                found["mb"] += process.memory_info().rss / 2**20
                found["descriptors"] += process.num_fds() - self._visitors(process)
                found["threads"] += process.num_threads()
        return found

    def _visitors(self, process: psutil.Process) -> int:
        """Connections that a visitor has open now: it is their number, and not the site's."""
        return sum(
            one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self._port
            for one in process.net_connections("tcp")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._database.close()
        for client in self._servers.values():
            client.close()


@dataclass(frozen=True)
class Trend:
    """A straight line through what was seen of one thing.

    `grown` is how much the line rises from the first sample to the last, `share` that of its beginning.
    """

    first: float
    grown: float
    an_hour: float

    @property
    def share(self) -> float:
        return self.grown / self.first if self.first else self.grown

    @classmethod
    def of(cls, samples: list[tuple[float, float]]) -> Trend:
        """`samples` are pairs of seconds and values; at least two."""
        slope, intercept = statistics.linear_regression(*zip(*samples, strict=True))
        begun, ended = samples[0][0], samples[-1][0]
        return cls(intercept + slope * begun, slope * (ended - begun), slope * 3600)
