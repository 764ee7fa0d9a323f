"""The Redis of the live metrics: slots by time, running totals, all written in one round trip."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
import redis
from django.core.signals import setting_changed
from redis.backoff import NoBackoff
from redis.retry import Retry

from performance import conf

PREFIX = "{metrics}"
TOTALS = f"{PREFIX}:totals"
TRAIL = f"{PREFIX}:trail"
TRAIL_LIFE = 24 * 3600
"""Seconds for which a request is known by its id, if Redis has room for so many."""
TIMEOUT = 1.0
REMEMBER_BATCH = 3600
"""Seconds for which the number of a process's last batch is kept: longer than a reply can be missing.

Every process leaves one behind, each task's child among them, in a Redis that evicts nothing.
"""

# A batch whose reply was lost is sent again under its number, and then not added again. How many
# series a metric has is bounded here for all processes together, as the processes each bound theirs.
_ADD = """
local last = tonumber(redis.call('GET', KEYS[1]) or '-1')
local number = tonumber(ARGV[1])
if last >= number then return 0 end
redis.call('SET', KEYS[1], number, 'EX', ARGV[2])
local most = tonumber(ARGV[3])
for _, entry in ipairs(cmsgpack.unpack(ARGV[4])) do
  local known, field = KEYS[3] .. entry[1], entry[2]
  if redis.call('SISMEMBER', known, field) == 0 then
    if redis.call('SCARD', known) >= most then field = entry[3]
    else redis.call('SADD', known, field) end
  end
  for name, n in pairs(entry[4]) do
    redis.call('HINCRBYFLOAT', KEYS[2], field .. name, string.format('%.17g', n))
  end
end
return 1
"""

# The newest packets of performance.metrics.trail stay: up to a number of bytes (a list takes some beside
# the packet), and a day. The lengths are summed in a key of their own, as a list has no size in bytes.
_TRAIL = """
local beside = 16
redis.call('RPUSH', KEYS[1], ARGV[1])
local size = redis.call('INCRBY', KEYS[2], #ARGV[1] + beside)
local most, oldest = tonumber(ARGV[2]), tonumber(ARGV[3])
for _ = 1, 100 do
  local head = redis.call('LINDEX', KEYS[1], 0)
  if not head or (size <= most and struct.unpack('>I4', head) >= oldest) then break end
  redis.call('LPOP', KEYS[1])
  size = redis.call('DECRBY', KEYS[2], #head + beside)
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return size
"""

Total = tuple[str, str, str, dict[str, float]]
"""Metric, series, the series to use beyond the limit, and what to add to its fields."""


@cache
def client() -> redis.Redis:
    """This process's client; a fork's child opens connections of its own."""
    return redis.Redis.from_url(
        conf.current().metrics.location,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def slot_key(slot: int) -> str:
    return f"{PREFIX}:slot:{slot}"


def write(
    process: str,
    slots: Mapping[int, tuple[str, bytes]],
    number: int,
    totals: list[Total],
    trail: Iterable[bytes] = (),
) -> None:
    """Writes slots (number to field and bytes), one batch of totals and packets of requests.

    Raises redis.RedisError.
    """
    settings = conf.current().metrics
    with client().pipeline(transaction=False) as pipe:
        for slot, (field, blob) in slots.items():
            pipe.hset(slot_key(slot), field, blob)
            pipe.expire(slot_key(slot), settings.keep_live)
        if totals:
            keys = [f"{PREFIX}:batch:{process}", TOTALS, f"{PREFIX}:series:"]
            batch = msgspec.msgpack.encode(totals)
            pipe.eval(
                _ADD, 3, *keys, str(number), str(REMEMBER_BATCH), str(settings.most_series), batch
            )
        most = settings.keep_requests_mb * 1_000_000
        for packet in trail if most else ():
            oldest = int(time.time()) - TRAIL_LIFE
            bounds = (str(most), str(oldest), str(TRAIL_LIFE))
            pipe.eval(_TRAIL, 2, TRAIL, f"{TRAIL}:bytes", packet, *bounds)
        pipe.execute()


def read(slots: Iterable[int]) -> list[tuple[int, dict[bytes, bytes]]]:
    """The slots that there are, each with one part per process. Raises redis.RedisError."""
    wanted = list(slots)
    with client().pipeline(transaction=False) as pipe:
        for slot in wanted:
            pipe.hgetall(slot_key(slot))
        replies: list[Any] = pipe.execute()
    return [(slot, parts) for slot, parts in zip(wanted, replies, strict=True) if parts]


def read_totals() -> dict[bytes, bytes]:
    """All running totals, as the processes added them. Raises redis.RedisError."""
    found: Any = client().hgetall(TOTALS)
    return dict(found)


def _forget(*, setting: str, **_kwargs: Any) -> None:
    if setting == "PERFORMANCE":
        client.cache_clear()


setting_changed.connect(_forget, dispatch_uid="performance.metrics.store")
