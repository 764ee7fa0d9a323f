"""What the page lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

MOST = 200  # rows of a kind


@dataclass(frozen=True)
class Row:
    """One thing that happened; `seconds` is what it took."""

    kind: str
    at: datetime | None
    what: str
    how: str
    seconds: float | None
    url: str


@dataclass
class Found:
    """`hidden` are the kinds that the user may not view, `notes` say what could not be looked at."""

    rows: list[Row] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def between(first: datetime | None, last: datetime | None) -> float | None:
    return (last - first).total_seconds() if first and last else None
