"""Names and clients of the event streams, and what the web process writes to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import redis
import redis.asyncio
import structlog
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from conversations.streams.unsaid import Frame, Unsaid

logger = structlog.get_logger(__name__)

LENGTH = 10_000  # entries a stream keeps; the newest answer is far shorter
LIFE = 3600  # seconds after its last frame
STOP_LIFE = 600
RECENT = 200  # frames among which an answer's first is looked for: far more than come before a checkpoint

# A channel that every web process hears: the id of a user whose rights have changed.
RIGHTS = "streams:rights"

# Redis writes ids as milliseconds-sequence; this one stands before every other.
BEGINNING = "0-0"
SURELY_KEPT = LIFE - 60  # seconds; clocks differ

# KEYS: one stream for each frame, the stop flags to look at and, if anybody leaves it, the set of those
# who wait. ARGV: length, life, the number of frames, the frames, who leaves that set. A frame is
# published with its id, so that followers need not read it again.
APPEND = """
local length, life, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local ids, stops, last = {}, {}, #KEYS
if #ARGV > count + 3 then
  redis.call('ZREM', KEYS[last], unpack(ARGV, count + 4))
  last = last - 1
end
for i = 1, count do
  local key, frame = KEYS[i], ARGV[3 + i]
  ids[i] = redis.call('XADD', key, 'MAXLEN', '~', length, '*', 'f', frame)
  redis.call('EXPIRE', key, life)
  redis.call('PUBLISH', key, ids[i] .. ' ' .. frame)
end
for i = count + 1, last do stops[#stops + 1] = redis.call('EXISTS', KEYS[i]) end
return {ids, stops}
"""


def stream_key(conversation_id: UUID | str) -> str:
    """The stream, and the channel on which its frames are published."""
    return f"events:{conversation_id}"


def stop_key(message_id: int, attempt: int) -> str:
    return f"stop:{message_id}:{attempt}"


def encode(kind: str, **data: Any) -> bytes:
    """A frame: its kind, a space, its data as one line of JSON."""
    return kind.encode() + b" " + msgspec.json.encode(data)


def async_client(**options: Any) -> redis.asyncio.Redis:
    """A client of the queue instance for the running loop; the caller closes it."""
    # Once more: the connection may be one that Redis has closed since, such as by a restart.
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    return redis.asyncio.from_url(
        settings.QUEUE_URL, socket_connect_timeout=1, retry=retry, **options
    )


@cache
def _client() -> redis.Redis:
    return redis.from_url(settings.QUEUE_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


def last_event_id(conversation_id: UUID) -> str:
    """The id of the newest frame: a page drawn from the database after this call follows from here.

    That of a page without any (see `before_all`) where there is none, or Redis cannot be asked.
    """
    none = before_all()
    try:
        newest: Any = _client().xrevrange(stream_key(conversation_id), count=1)
    except RedisError as error:
        logger.warning("stream_unavailable", error=type(error).__name__)
        return none
    return newest[0][0].decode() if newest else none


def before_all() -> str:
    """The id of a page that is drawn now and has seen no frame: it stands before all that Redis gives.

    Its sequence is the time, by which a page that comes back after long is known to have missed those
    that came and have expired.
    """
    return f"0-{time.time_ns() // 1_000_000}"


def has_outlived(event_id: str) -> bool:
    """Whether frames that came after an id of `before_all` may have expired."""
    drawn = int(event_id.removeprefix("0-")) / 1000
    return time.time() - drawn > SURELY_KEPT


def begun_at(conversation_id: UUID, attempts: Mapping[int, int], last: str) -> str:
    """The id of the oldest recent event, up to `last`, with which an answer begins; `last` where none does.

    `attempts` has the answers by message, each with the number of the first attempt that counts.
    Before an id of `before_all` is nothing: Redis, which may be away, is not asked.
    """
    if last.startswith("0-"):
        return last
    try:
        recent: Any = _client().xrevrange(stream_key(conversation_id), max=last, count=RECENT)
    except RedisError as error:
        logger.warning("stream_unavailable", error=type(error).__name__)
        return last
    begun = [event_id for event_id, fields in recent if _begins(fields[b"f"], attempts)]
    return begun[-1].decode() if begun else last


def _begins(frame: bytes, attempts: Mapping[int, int]) -> bool:
    kind, _, data = frame.partition(b" ")
    if kind != b"begin":
        return False
    told = msgspec.json.decode(data)
    return told["m"] in attempts and told["a"] >= attempts[told["m"]]


def order(event_id: str) -> tuple[int, int]:
    """By which ids are compared."""
    milliseconds, _, sequence = event_id.partition("-")
    return int(milliseconds), int(sequence)


def announce(conversation_id: UUID, kind: str, **data: Any) -> bool:
    """Appends one frame from a web process. False where it is said later: Redis could not be reached,
    or what it was not told before has to come first.
    """
    frame = stream_key(conversation_id), encode(kind, **data)
    unsaid = _unsaid(_client())
    said = not unsaid and tell(lambda client: _append(client, [frame]))
    if not said:
        unsaid.keep(frame)
    return said


def _append(client: redis.Redis, frames: list[Frame]) -> None:
    keys, said = zip(*frames, strict=True)
    client.eval(APPEND, len(keys), *keys, LENGTH, LIFE, len(said), *said)


@cache
def _unsaid(client: redis.Redis) -> Unsaid:
    def say(frames: list[Frame]) -> bool:
        try:
            _append(client, frames)
        except RedisError:  # which was logged when it was to be said first
            return False
        return True

    return Unsaid(say)


def forget(conversation_id: UUID) -> bool:
    """Removes the events of a conversation that was deleted; they would expire within the hour."""
    key = stream_key(conversation_id)
    _unsaid(_client()).drop(key)
    return tell(lambda client: client.delete(key))


def rights_changed(user_id: int) -> bool:
    """Ends the streams of a user; browsers come back, and those who still may follow go on.

    Where Redis cannot be reached the streams end by themselves within their lifetime.
    """
    return tell(lambda client: client.publish(RIGHTS, user_id))


def request_stop(message_id: int, attempt: int) -> bool:
    """Raises the flag that the worker of that attempt looks at ten times a second."""
    return tell(lambda client: client.set(stop_key(message_id, attempt), 1, ex=STOP_LIFE))


def tell(command: Callable[[redis.Redis], object]) -> bool:
    """Gives Redis one command. False, and a line in the log, where it could not be reached."""
    try:
        command(_client())
    except RedisError as error:
        logger.warning("stream_unavailable", error=type(error).__name__)
        return False
    return True
