"""What django-redis adds to Django's API, behind our breaker: an answer instead of an exception."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import django_redis.cache
from redis.exceptions import RedisError

from performance.cache.base import Base
from performance.cache.engine import sweep
from performance.cache.exceptions import Unavailable
from performance.cache.transport import Node

# What each method answers while the server is away.
ANSWERS: dict[str, Any] = {
    "ttl": 0, "pttl": 0, "persist": False, "expire": False, "pexpire": False, "expire_at": False,
    "pexpire_at": False, "keys": [], "delete_pattern": 0,
    "sadd": 0, "scard": 0, "sdiff": set(), "sdiffstore": 0, "sinter": set(), "sinterstore": 0,
    "sismember": False, "smembers": set(), "smove": False, "spop": None, "srandmember": None, "srem": 0,
    "sscan": set(), "smismember": [], "sunion": set(), "sunionstore": 0,
    "hset": 0, "hdel": 0, "hlen": 0, "hkeys": [], "hexists": False,
    "zadd": 0, "zcard": 0, "zcount": 0, "zincrby": None, "zpopmax": [], "zpopmin": [], "zrange": [],
    "zrangebyscore": [], "zrank": None, "zrem": 0, "zremrangebyscore": 0, "zrevrange": [],
    "zrevrangebyscore": [], "zscore": None,
}  # fmt: skip
EXPIRY = frozenset({"persist", "expire", "pexpire", "expire_at", "pexpire_at"})


class Extras(Base):
    def iter_keys(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        if self.engine.transport.is_down:
            self._unavailable(Unavailable("known to be away"), None)
            return
        try:
            yield from self.client.iter_keys(*args, **kwargs)
        except (OSError, RedisError) as error:
            self._unavailable(_away(error), None)

    def _clear(self) -> None:
        self._forget_local()
        try:
            nodes = self.engine.transport.everywhere()
            if failed := [error for node in nodes if (error := self._sweep(node))]:
                self._unavailable(_away(failed[0]), None)
        except (OSError, RedisError) as error:
            self._unavailable(_away(error), None)
        finally:
            self._forget_local()

    def _sweep(self, node: Node) -> BaseException | None:
        """What kept a server from it; then it is swept before it is used again."""
        if node.breaker.is_open:
            node.lost_all = True
            return Unavailable(node.name)
        try:
            for commands in sweep(node, self.engine.keys):
                node.direct(commands)
        except (OSError, RedisError) as error:
            node.lost_all = True
            node.breaker.trip(error)
            return error
        return None

    def _dropped(self, key: Any, version: int | None) -> None:
        if self.engine.local is not None:
            self.engine.local.invalidate(self.name_of(key, version))

    def _forget_local(self) -> None:
        self.engine.flights.clear()
        if self.engine.local is not None:
            self.engine.local.clear()


def _away(error: BaseException) -> Unavailable:
    unavailable = Unavailable(type(error).__name__)
    unavailable.__cause__ = error
    return unavailable


def _guarded(name: str, answer: Any) -> Callable[..., Any]:
    inherited = getattr(django_redis.cache.RedisCache, name)

    def method(self: Extras, *args: Any, **kwargs: Any) -> Any:
        if self.engine.transport.is_down:
            return self._unavailable(Unavailable("known to be away"), _copy(answer))
        try:
            return inherited(self, *args, **kwargs)
        except (OSError, RedisError) as error:
            return self._unavailable(_away(error), _copy(answer))
        finally:
            if name in EXPIRY:
                self._dropped(args[0] if args else kwargs["key"], kwargs.get("version"))
            elif name == "delete_pattern":
                self._forget_local()

    method.__name__ = name
    return method


def _copy(answer: Any) -> Any:
    return type(answer)() if isinstance(answer, list | set) else answer


for _name, _answer in ANSWERS.items():
    setattr(Extras, _name, _guarded(_name, _answer))
