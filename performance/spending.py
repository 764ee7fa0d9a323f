"""What the current request has spent outside the database: time in caches and in templates.

Whoever spends adds to it where there is one; it is followed by a context variable, as scopes are.
"""

from __future__ import annotations

from contextvars import ContextVar


class Spending:
    """Seconds. `rendering` is how many templates are being rendered inside each other."""

    __slots__ = ("cache", "render", "rendering")

    def __init__(self) -> None:
        self.cache = 0.0
        self.render = 0.0
        self.rendering = 0


_current: ContextVar[Spending | None] = ContextVar("performance_spending", default=None)
current = _current.get


def enter(spending: Spending | None) -> Spending | None:
    """Makes it the current one and answers the one before it, for another enter()."""
    before = _current.get()
    _current.set(spending)
    return before
