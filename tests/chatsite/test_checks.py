from __future__ import annotations

import pytest

from chatsite.checks import deadlines


def test_limits_as_they_come_are_fine() -> None:
    assert deadlines() == []


def test_a_limit_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_LOCK_TIMEOUT", "0")
    (warning,) = deadlines()
    assert warning.id == "chatsite.W001"
    assert "DATABASE_LOCK_TIMEOUT" in warning.msg
