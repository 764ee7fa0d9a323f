"""What each user has used and reserved, in Redis: one hash a user, changed by one script a step.

The hash holds `u:<period>:<measure>` (used in the hour, day or month that `w:<period>` names),
`r:<reply>` (reserved, with the time at which that ends by itself), `s`, the hour in which the sums
were taken from PostgreSQL, and `n`, how often anything was settled: sums that were read before the last
time are not taken. They are taken anew every hour, so whatever Redis lost is back by then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from conversations.quotas import periods
from conversations.quotas.limits import Amounts, Limit

LEASE = 3600  # seconds for which a reservation holds where nobody settles it
LIFE = 40 * 24 * 3600  # of a hash that nobody touches
PAUSE = 5.0  # seconds without a try after Redis did not answer

# ARGV: reply, now, seed, life; hour, day, month; messages, tokens, cost; end of the lease; the number
# of limits, then period, measure and most of each; nothing, or the sums from PostgreSQL, nine, and
# the `n` that they were asked for with.
# Returns {1 reserved, 0 refused, used of each limit...}, or {-1, n}: the sums are wanted.
RESERVE = """
local key, reply, now, seed, life = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local window = {hour = ARGV[5], day = ARGV[6], month = ARGV[7]}
local want = {tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])}
local count = tonumber(ARGV[12])
local first = 13 + 3 * count
local flat = redis.call('HGETALL', key)
local hash = {}
for i = 1, #flat, 2 do hash[flat[i]] = flat[i + 1] end
if hash['s'] ~= seed then
  local settled = redis.call('HINCRBY', key, 'n', 0)
  redis.call('EXPIRE', key, life)
  if ARGV[first + 9] ~= tostring(settled) then return {-1, settled} end
  local at = first
  for _, period in ipairs({'hour', 'day', 'month'}) do
    hash['w:' .. period] = window[period]
    redis.call('HSET', key, 'w:' .. period, window[period])
    for measure = 1, 3 do
      hash['u:' .. period .. ':' .. measure] = ARGV[at]
      redis.call('HSET', key, 'u:' .. period .. ':' .. measure, ARGV[at])
      at = at + 1
    end
  end
  redis.call('HSET', key, 's', seed)
end
local reserved = {hour = {0, 0, 0}, day = {0, 0, 0}, month = {0, 0, 0}}
local known = hash['r:' .. reply] ~= nil
for field, value in pairs(hash) do
  if string.sub(field, 1, 2) == 'r:' then
    local ends, m, t, c = string.match(value, '^(%d+) (%d+) (%d+) (%d+)$')
    if tonumber(ends) <= now then
      redis.call('HDEL', key, field)
      if field == 'r:' .. reply then known = false end
    else
      for _, period in ipairs({'hour', 'day', 'month'}) do
        local sums = reserved[period]
        sums[1], sums[2], sums[3] = sums[1] + m, sums[2] + t, sums[3] + c
      end
    end
  end
end
local answer, refused = {1}, false
for i = 1, count do
  local period, measure, most = ARGV[10 + 3 * i], tonumber(ARGV[11 + 3 * i]), tonumber(ARGV[12 + 3 * i])
  local used = reserved[period][measure]
  if hash['w:' .. period] == window[period] then
    used = used + tonumber(hash['u:' .. period .. ':' .. measure] or 0)
  end
  if used + want[measure] > most then refused = true end
  answer[i + 1] = string.format('%.0f', used)
end
redis.call('EXPIRE', key, life)
if reply == '' or known then return answer end
if refused then answer[1] = 0 return answer end
redis.call('HSET', key, 'r:' .. reply, table.concat({ARGV[11], ARGV[8], ARGV[9], ARGV[10]}, ' '))
return answer
"""

# ARGV: reply, 1 to keep what is reserved for it; hour, day, month; messages, tokens, cost.
# A user without a hash has no quota, or one that will be read from PostgreSQL.
SETTLE = """
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then return 0 end
redis.call('HINCRBY', key, 'n', 1)
if ARGV[2] ~= '1' then redis.call('HDEL', key, 'r:' .. ARGV[1]) end
for i, period in ipairs({'hour', 'day', 'month'}) do
  if redis.call('HGET', key, 'w:' .. period) ~= ARGV[2 + i] then
    redis.call('HSET', key, 'w:' .. period, ARGV[2 + i])
    for measure = 1, 3 do redis.call('HDEL', key, 'u:' .. period .. ':' .. measure) end
  end
  for measure = 1, 3 do
    local amount = ARGV[5 + measure]
    if amount ~= '0' then redis.call('HINCRBY', key, 'u:' .. period .. ':' .. measure, amount) end
  end
end
return 1
"""

_away_until = 0.0


class Away(Exception):
    """Redis does not answer."""


class Unseeded(Exception):
    """The sums of PostgreSQL are wanted first; `settled` is to be given after them."""

    def __init__(self, settled: int) -> None:
        super().__init__()
        self.settled = settled


@cache
def _scripts() -> tuple[Any, Any]:
    client = redis.from_url(
        settings.QUEUE_URL,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )
    return client.register_script(RESERVE), client.register_script(SETTLE)


def key_of(user_id: int) -> str:
    return f"quota:{user_id}"


def reserve(
    user_id: int,
    reply: int | None,
    want: Amounts,
    limits: Sequence[Limit],
    now: datetime,
    sums: Sequence[int] = (),
) -> tuple[bool, list[int]]:
    """Reserves `want` for that reply unless a limit refuses; says so, and how much of each was used.

    Without a reply it only looks. The same reply again changes nothing. One round trip.
    Raises Unseeded, to be called again with `sums` that are read after it, and Away.
    """
    windows = periods.names(now)
    stamp = int(now.timestamp())
    told = [part for limit in limits for part in (limit.period, limit.place + 1, limit.most)]
    arguments = [
        *("" if reply is None else reply, stamp, windows[0], LIFE),
        *windows,
        *want,
        *(stamp + LEASE, len(limits)),
    ]
    answer = _run(0, user_id, [*arguments, *told, *sums])
    if answer[0] == -1:
        raise Unseeded(answer[1])
    return answer[0] == 1, [int(used) for used in answer[1:]]


def settle(user_id: int, reply: int, amounts: Amounts, now: datetime, *, keep: bool) -> None:
    """Adds what was used, and lets go of what was reserved unless `keep`. One round trip. Raises Away."""
    _run(1, user_id, [reply, int(keep), *periods.names(now), *amounts])


def forget(user_id: int) -> None:
    """Of an account that is gone. Where Redis is away it expires by itself."""
    with suppress(RedisError):
        _scripts()[0].registered_client.delete(key_of(user_id))


def _run(script: int, user_id: int, arguments: list[Any]) -> Any:
    global _away_until
    if time.monotonic() < _away_until:
        raise Away
    try:
        return _scripts()[script](keys=[key_of(user_id)], args=arguments)
    except RedisError as error:
        _away_until = time.monotonic() + PAUSE
        raise Away from error
