"""django-redis's client with our entries: what is beyond Django's cache API goes through it."""

from __future__ import annotations

from typing import Any

from django_redis.client import DefaultClient

from performance.cache.envelope import open_entry, seal
from performance.cache.keys import lease_of


class Client(DefaultClient):  # type: ignore[misc]
    """`cache.client`: hashes, sets, sorted sets, locks, time to live, scans, the raw redis-py client."""

    def encode(self, value: Any, *, allow_int: bool = True) -> bytes | int:
        data = seal(value).data
        return data if allow_int or isinstance(data, bytes) else str(data).encode()

    def decode(self, value: bytes | int | str) -> Any:
        if isinstance(value, str):
            value = value.encode()
        return value if isinstance(value, int) else open_entry(value).value

    def delete_pattern(
        self,
        pattern: str,
        version: int | None = None,
        prefix: str | None = None,
        client: Any = None,
        itersize: int | None = None,
    ) -> int:
        """How many there were. Their leases go first: no load from before it is stored after it."""
        client = client or self.get_client(write=True)
        leases = lease_of(str(self.make_pattern(pattern, version, prefix)))
        for lease in client.scan_iter(match=leases, count=itersize):
            client.unlink(lease)
        deleted: int = super().delete_pattern(pattern, version, prefix, client, itersize)
        return deleted

    def keys(self, search: str, version: int | None = None, client: Any = None) -> list[Any]:
        return list(self.iter_keys(search, itersize=1000, client=client, version=version))
