from __future__ import annotations

from collections.abc import Iterator

import pytest

from conversations.ai.openai import retry
from conversations.ai.openai.breaker import breaker_for


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    yield
    breaker_for.cache_clear()
