"""Ids of single things behind a metric: the requests and replies that failed or took long.

They are few: only what went wrong leaves one, a process keeps the newest until it writes them, about once a
second, and Redis keeps the newest KEPT of all processes for a day. An alert that fires names some of them.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import redis

from performance import conf
from performance.metrics import flusher, store

logger = logging.getLogger("performance.metrics")

KEY = f"{store.PREFIX}:examples"
KEPT = 500
LIFE = 24 * 3600  # seconds
WAITING = 50  # of a process, between two flushes
LONGEST_ID = 64


class Example(msgspec.Struct, frozen=True):
    """One thing: `value` as it went into the metric, `at` Unix seconds."""

    metric: str
    value: float
    id: str
    at: float
    labels: dict[str, str]


_waiting: deque[Example] = deque(maxlen=WAITING)
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Example)


def leave(metric: str, value: float, correlation_id: str, **labels: str) -> None:
    """Remembers one thing that went wrong by its id; without an id, and where metrics are off, nothing."""
    if correlation_id and conf.current().metrics.enabled:
        _waiting.append(Example(metric, value, correlation_id[:LONGEST_ID], time.time(), labels))
        if _send not in flusher.callbacks:
            flusher.callbacks.append(_send)


def newest(metric: str, labels: Mapping[str, Collection[str]], since: float) -> Iterator[Example]:
    """Those with these labels, newest first; of each label any of the values. None where Redis is away."""
    for example in _kept():
        fits = all(example.labels.get(name) in values for name, values in labels.items())
        if example.metric == metric and example.at >= since and fits:
            yield example


def of(correlation_id: str) -> list[Example]:
    """Those with that id, newest first. None where Redis is away."""
    return [example for example in _kept() if example.id == correlation_id]


def _kept() -> Iterator[Example]:
    settings = conf.current().metrics
    if not (settings.enabled and settings.location):
        return
    try:
        found: Any = store.client().lrange(KEY, 0, KEPT - 1)
    except (redis.RedisError, OSError):
        return
    for raw in found:
        with suppress(msgspec.MsgspecError):  # of another version
            yield _decoder.decode(raw)


def _send() -> None:
    """In the flusher's thread. What Redis does not take is lost: the metrics are what counts."""
    taken = [_waiting.popleft() for _ in range(len(_waiting))]
    if not taken:
        return
    try:
        with store.client().pipeline(transaction=False) as pipe:
            pipe.lpush(KEY, *map(_encoder.encode, taken))
            pipe.ltrim(KEY, 0, KEPT - 1)
            pipe.expire(KEY, LIFE)
            pipe.execute()
    except (redis.RedisError, OSError) as error:
        logger.debug("Examples are lost: %s.", type(error).__name__)
