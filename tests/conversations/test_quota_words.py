from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conversations import quota_words
from conversations.money import money
from conversations.quotas import Exceeded, Limit, Standing

NOW = datetime(2026, 11, 26, 13, 5, tzinfo=UTC)
SOON = datetime(2026, 11, 26, 14, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def refused(limit: Limit, used: int, want: int, resets: datetime = SOON) -> str:
    return quota_words.refusal(Exceeded(Standing(limit, used, resets), want, NOW))


def test_what_is_used_up() -> None:
    words = refused(Limit("messages", "hour", 10), 10, 1)
    assert "10 messages an hour is used up: 10 are used." in words
    assert "(UTC)" in words
    assert "2026" not in words  # it is today


def test_what_leaves_too_little() -> None:
    words = refused(Limit("tokens", "day", 10_000), 9_900, 300)
    assert "10,000 tokens a day leaves too little: 9,900 are used" in words
    assert "may take 300" in words


def test_what_can_never_fit() -> None:
    assert "Shorten your text" in refused(Limit("tokens", "day", 100), 0, 300)


def test_another_day_is_named() -> None:
    words = refused(Limit("messages", "month", 1), 1, 1, datetime(2026, 12, 1, tzinfo=UTC))
    assert "1 message a month" in words
    assert "2026" in words


def test_costs_are_in_the_currency_of_the_site(settings: Any) -> None:
    settings.CHAT_CURRENCY = "EUR"
    assert quota_words.name(Limit("cost", "month", 5_000_000_000)) == "5.00 EUR a month"


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "0.00 USD"), ("12.5", "12.50 USD"), ("0.00042", "0.000420 USD"), ("0.35", "0.350 USD")],
)
def test_small_amounts_can_be_told_apart(amount: str, words: str) -> None:
    from decimal import Decimal

    assert money(Decimal(amount), "USD") == words
