"""The newest metrics of all processes, from the slots in Redis."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable

import redis

from performance import conf
from performance.metrics import slots, store
from performance.metrics.exceptions import MetricsUnavailable

logger = logging.getLogger("performance.metrics")


def read(
    numbers: Iterable[int], names: Container[str] | None = None
) -> list[tuple[int, slots.Slot]]:
    """The slots that there are, of the metrics in `names` or of all. Raises MetricsUnavailable."""
    if not conf.current().metrics.location:
        return []
    try:
        found = store.read(numbers)
    except (redis.RedisError, OSError) as error:
        raise MetricsUnavailable(type(error).__name__) from error
    return [(slot, _merged(parts, names)) for slot, parts in found]


def _merged(parts: dict[bytes, bytes], names: Container[str] | None) -> slots.Slot:
    return slots.merged(
        part for blob in parts.values() if (part := _readable(blob, names)) is not None
    )


def _readable(blob: bytes, names: Container[str] | None) -> slots.Slot | None:
    try:
        return slots.unpack(blob, names)
    except slots.Unreadable as error:
        logger.warning("A slot of metrics cannot be read: %s", error)
        return None
