from __future__ import annotations

from typing import ClassVar

from redis.exceptions import RedisError


class Unavailable(RedisError):
    """The cache server did not answer in time, or is known not to answer."""

    loggable: ClassVar[bool] = True  # it names a server and what kept it


class LinkLost(ConnectionError):
    """No changes are heard of any more: which server keeps them from us, or how long it has been silent."""

    loggable: ClassVar[bool] = True


class ReplyError(RedisError):
    """The server refused a command; `code` is the first word of its reply: OOM, WRONGTYPE, MOVED."""

    @property
    def code(self) -> str:
        return str(self).partition(" ")[0]
