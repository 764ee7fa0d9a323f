"""A cached answer that can say how old it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec


class Stored(msgspec.Struct, frozen=True, tag=False):
    """`value`, and when it was made: what a page needs to say "answered 3 minutes ago"."""

    value: Any
    stored_at: datetime
    is_error: bool = False

    @property
    def age(self) -> timedelta:
        return datetime.now(UTC) - self.stored_at


def stored(value: Any, *, is_error: bool = False) -> Stored:
    return Stored(value=value, stored_at=datetime.now(UTC), is_error=is_error)
