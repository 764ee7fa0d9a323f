"""A scope for each management command. Django tells nobody about commands, so its one way in is wrapped."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.core.management.base import BaseCommand

from performance.queries import ended, scope


def connect() -> None:
    """Wraps BaseCommand.execute, once."""
    original = BaseCommand.execute
    if getattr(original, "watches_queries", False):
        return

    @wraps(original)
    def execute(self: BaseCommand, *args: Any, **options: Any) -> Any:
        name = type(self).__module__.rpartition(".")[2]
        with scope.open(kind="command", name=name) as seen:
            # A worker goes on for days, and staff may turn the log on meanwhile.
            if seen.parent is None:
                ended.follow(seen)
            return original(self, *args, **options)

    execute.watches_queries = True  # type: ignore[attr-defined]
    BaseCommand.execute = execute  # type: ignore[method-assign]
