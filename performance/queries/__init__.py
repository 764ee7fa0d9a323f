"""Watching what the database is asked.

from performance.queries import scope

with scope.open(kind="request", name="conversations:detail") as seen: ...
"""

from __future__ import annotations

from performance.queries import scope

__all__ = ["scope"]
