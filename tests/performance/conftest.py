from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from performance import metrics
from performance.queries import ended
from performance.queries.scope import Scope


@pytest.fixture
def logged() -> Iterator[Callable[[], list[Scope]]]:
    """What went to the query log since the last call."""
    found: list[Scope] = []

    def receive(_recording: object, scope: Scope) -> None:
        found.append(scope)

    def taken() -> list[Scope]:
        ended.empty(at_once=True)
        metrics.flush()
        scopes, found[:] = list(found), []
        return scopes

    metrics.flush()
    ended.receivers.append(receive)
    yield taken
    ended.receivers.remove(receive)
    for _ in range(2):  # a scope of threads that outlived theirs is let go once nothing more comes
        ended.empty(at_once=True)
