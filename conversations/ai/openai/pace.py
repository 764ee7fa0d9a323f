"""Keeps all workers together within the limits of one provider's key: each request gets its turn, in order.

A turn is a time. One script on the queue's Redis gives it, from what the turns before it took of the
requests and tokens of a minute; nobody polls. When the provider itself says "wait", time stands still
for everybody until then: turns keep their order and their distance. Redis holds a keyed hash of the
key, never the key.

While Redis is away nobody is held back: what the provider refuses is asked again as `retry` has it.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import redis
import redis.asyncio
import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from conversations.ai.openai.options import Options

logger = structlog.get_logger(__name__)

MINUTE = 60_000.0  # ms
LIFE = 7200  # seconds after the last turn
LONGEST_BLOCK = 3600.0  # seconds that one answer of the provider may hold everybody up
PAUSE = 5.0  # seconds without a try after Redis did not answer

# Times are ms. `off` is how long time has stood still in all, `until` when it goes on: a turn v comes
# at v + off. `rt` and `tt` are when all requests and tokens that were let through are paid for.
# ARGV: the turn ('' for a new one), ms a request, requests at once, ms a token, tokens at once, the
# request's tokens, the longest wait. Returns the turn ('' where that is too long) and its wait in ms.
TAKE = """
local key, turn = KEYS[1], ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local off, till, rt, tt, last = unpack(redis.call('HMGET', key, 'off', 'until', 'rt', 'tt', 'last'))
off, till, rt, tt, last = tonumber(off or 0), tonumber(till or 0), tonumber(rt or 0), tonumber(tt or 0), tonumber(last or 0)
if turn ~= '' then
  return {turn, tostring(math.max(turn + off, till) - now)}
end
local each, burst, token, room, cost, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local v = math.max(math.max(now, till) - off, last)
if each > 0 then v = math.max(v, rt - (burst - 1) * each) end
if token > 0 then v = math.max(v, tt + (math.min(cost, room) - room) * token) end
local wait = math.max(v + off, till) - now
if wait > longest then return {'', tostring(wait)} end
if each > 0 then redis.call('HSET', key, 'rt', string.format('%.3f', math.max(rt, v) + each)) end
if token > 0 then redis.call('HSET', key, 'tt', string.format('%.3f', math.max(tt, v) + cost * token)) end
turn = string.format('%.3f', v)
redis.call('HSET', key, 'last', turn)
redis.call('EXPIRE', key, ARGV[8])
return {turn, tostring(wait)}
"""

# ARGV: ms for which the provider takes nothing more (0: it does), ms by which the tokens were
# estimated wrong, life, then fields and values for staff to see.
NOTE = """
local key, block, owed = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if block > 0 then
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + clock[2] / 1000
  local off, till = unpack(redis.call('HMGET', key, 'off', 'until'))
  off, till = tonumber(off or 0), tonumber(till or 0)
  local ends = now + block
  if ends > till then
    off = off + ends - math.max(now, till)
    redis.call('HSET', key, 'off', string.format('%.3f', off), 'until', string.format('%.3f', ends))
  end
end
local tt = redis.call('HGET', key, 'tt')
if tt and owed ~= 0 then redis.call('HSET', key, 'tt', string.format('%.3f', tt + owed)) end
for i = 4, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', key, ARGV[3])
return 1
"""

_away_until = 0.0


class TooLong(Exception):
    """The turn comes later than anybody is to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


def key_of(options: Options) -> str:
    """The name of a provider's key in Redis, which tells nothing of the key."""
    value = f"{options.base_url}\0{options.api_key}"
    digest = salted_hmac("conversations.ai.openai.pace", value, algorithm="sha256").hexdigest()
    return f"pace:{{{digest[:24]}}}"


class Pace:
    """The pace of one request: its turn, and what the provider said to it."""

    def __init__(self, options: Options, tokens: int) -> None:
        self._key = key_of(options)
        self._limits = options.limits
        self._tokens = tokens
        self._turn = ""
        self._began = time.monotonic()

    async def wait(self) -> float:
        """Seconds until its turn; 0 where it has come. One round trip. Raises TooLong."""
        limits = self._limits
        told = [
            *(self._turn, _each(limits.requests_per_minute), at_once(limits.requests_per_minute)),
            *(_each(limits.tokens_per_minute), at_once(limits.tokens_per_minute), self._tokens),
            *(limits.longest_wait * 1000, LIFE),
        ]
        answer = await _run("take", self._key, told)
        if answer is None:
            return 0.0
        seconds = float(answer[1]) / 1000
        waited = time.monotonic() - self._began if self._turn else 0.0
        if not answer[0] or waited + seconds > limits.longest_wait:
            raise TooLong(seconds)
        self._turn = answer[0].decode()
        return max(seconds, 0.0)

    async def note(
        self, *, block: float = 0.0, used: int | None = None, seen: Mapping[str, str] | None = None
    ) -> bool:
        """Tells the others: `block` seconds in which the provider takes nothing, the tokens `used`.

        `seen` is for staff. One round trip. False where Redis does not answer.
        """
        each = _each(self._limits.tokens_per_minute)
        owed = 0.0 if used is None else (used - self._tokens) * each
        fields = [part for pair in (seen or {}).items() for part in pair]
        answer = await _run(
            "note", self._key, [min(block, LONGEST_BLOCK) * 1000, owed, LIFE, *fields]
        )
        return answer is not None


def seen(options: Options) -> dict[str, str]:
    """What the workers noted of this key: times as seconds since 1970; {} where Redis does not answer."""
    try:
        with redis.from_url(
            settings.QUEUE_URL, socket_timeout=0.5, socket_connect_timeout=0.5
        ) as client:
            found: Any = client.hgetall(key_of(options))
    except RedisError:
        return {}
    return {name.decode(): value.decode() for name, value in found.items()}


def at_once(per_minute: int) -> int:
    """How many may come at the same time: a quarter of a minute's, so that no minute has more than all."""
    return max(1, per_minute // 4)


def _each(per_minute: int) -> float:
    """ms between two, so that those at once and those after them are `per_minute` in any minute."""
    return MINUTE / (per_minute - at_once(per_minute) + 1) if per_minute else 0.0


_keepers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[Any]] = (
    weakref.WeakKeyDictionary()
)
_scripts: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Any]] = (
    weakref.WeakKeyDictionary()
)


async def _run(name: str, key: str, arguments: list[Any]) -> Any:
    """None where Redis does not answer."""
    global _away_until
    if time.monotonic() < _away_until:
        return None
    loop = asyncio.get_running_loop()
    if loop not in _scripts:
        keeper = _keep()
        _keepers[loop] = keeper
        _scripts[loop] = await anext(keeper)
    try:
        return await _scripts[loop][name](keys=[key], args=arguments)
    except RedisError as error:
        _away_until = time.monotonic() + PAUSE
        logger.warning("pace_unavailable", error=type(error).__name__)
        return None


async def _keep() -> AsyncGenerator[dict[str, Any]]:
    """Closes the client when its loop ends: asyncio closes the generators that are still open."""
    client = redis.asyncio.from_url(
        settings.QUEUE_URL, socket_timeout=0.5, socket_connect_timeout=0.5
    )
    try:
        yield {"take": client.register_script(TAKE), "note": client.register_script(NOTE)}
    finally:
        await client.aclose()
